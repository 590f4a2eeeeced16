// Package secrets keeps this host's repository credentials and the agent's sealing identity, in the OS keyring or in a sealed
// file, whichever was chosen at enrolment.
//
// It promises that the chosen store is the only one used: one that fails gives fault.SecretStore and never the other store or
// an empty answer; fault.NoSecret means that the store works and holds nothing for that repository. Nothing readable is written
// to the data folder. Stores are safe for concurrent use within one process, which the lock of the data folder makes the only
// one. The package starts no goroutine.
//
// In the data folder's "secrets" (0700) lie, each 0600:
//
//	keyring.json   keyring store: which repositories the keyring has items for, because keyrings cannot list; no secret in it
//	*.age          keyring store: credentials too long for a keyring item, each sealed to a key of its own in the keyring
//	sealed.json    sealed file: where its key comes from; no secret in it
//	secrets.age    sealed file: identity and all credentials
//
// Decisions. The key of the sealed file lies in a folder beside the data folder, so that a copy of the data alone opens
// nothing. With the store systemd-credential it lies there sealed by systemd to this host (its TPM or its host key): the service gets
// it as the credential "backstay-key", commands of root have systemd open it, and it never touches the disk readable. Which of both
// is recorded when the file is made: a credential that is missing later is an error, not a reason to make a key. A changed store is
// a command (Migrate), never a side effect of a changed setting.
package secrets
