package words

import "github.com/backstay/backstay/shared/fleet"

// State names the state of a job; a running one whose cancel was asked for is named so.
func State(s fleet.JobState, cancelRequested bool) string {
	if cancelRequested && !s.Ended() {
		return T("state.cancelling")
	}
	return T("state." + string(s))
}

// Kind names a kind of job: Backup.
func Kind(k fleet.JobKind) string { return T("kind." + string(k)) }

// Reason says in a few words why a job ended as it did; "" without a reason.
func Reason(r fleet.Reason) string {
	if r == fleet.ReasonNone {
		return ""
	}
	return T("reason." + string(r))
}

// Phase says what a running job is doing.
func Phase(p fleet.Phase) string { return T("phase." + string(p)) }

// Role names a role.
func Role(r fleet.Role) string { return T("role." + string(r)) }

// SecretStore says where a host keeps passwords.
func SecretStore(s fleet.SecretStore) string { return T("secrets." + string(s)) }

// System names an operating system by its GOOS.
func System(goos string) string {
	if key := "system." + goos; Has(key) {
		return T(key)
	}
	return goos
}
