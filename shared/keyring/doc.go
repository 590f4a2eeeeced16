// Package keyring is the one adapter over the operating system's keyring (Secret Service, Keychain, Credential Manager): the
// agent's secret store, the console's preferences and the CLI's profile all go through it.
//
// It promises that a call returns within Limit, although the library beneath waits for ever on an unlock prompt; that Set is
// read back before it succeeds, because a dismissed prompt and macOS's `security` both look like success; and that ErrNotFound
// means that the keyring answered and has no such item, while a keyring that is missing, locked or silent is always
// fault.SecretStore. A message of it never holds a value.
//
// Goroutines: one for each call under way. A call that ran into its limit cannot be stopped from here; it keeps the only
// slot until the keyring answers, so at most one such goroutine exists in a Keyring, and later calls fail after their own
// limit instead of piling up. On Linux the D-Bus library beneath keeps one connection to the session bus, with two goroutines,
// for the life of the process.
package keyring
