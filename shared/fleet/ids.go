package fleet

// Ids are opaque strings, at most MaxIDLength bytes of [A-Za-z0-9._:-]. Backstay makes ULIDs (their order is the order of
// creation); scheduled runs have "slot:<plan>:<host>:<UTC instant>".
type (
	// HostID names a machine for as long as Backstay knows it, also when its agent is enrolled anew.
	HostID string
	// AgentID names one enrolment of an agent on a host; it is the common name of the agent's certificate.
	AgentID string
	// RepositoryID names a restic repository as Backstay knows it (not restic's own repository id).
	RepositoryID string
	// PlanID names a plan.
	PlanID string
	// JobID names one run of one kind.
	JobID string
	// UserID names a person or a script that signs in.
	UserID string
	// SnapshotID is restic's own snapshot id: 64 hexadecimal digits, or a prefix of at least 8 in requests.
	SnapshotID string
)

// MaxIDLength is the length in bytes that no id exceeds.
const MaxIDLength = 160

// ValidID tells whether s may be an id: 1 to MaxIDLength bytes of [A-Za-z0-9._:-], not beginning with a dot or a hyphen, so
// that an id is never taken for an option or a hidden or parent folder.
func ValidID(s string) bool {
	if s == "" || len(s) > MaxIDLength || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == ':' || c == '-'
		if !ok {
			return false
		}
	}
	return true
}
