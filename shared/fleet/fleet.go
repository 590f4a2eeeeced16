package fleet

import "time"

// Role says what a user or token may do. Each role may do all that the ones before it may.
type Role string

// The roles.
const (
	RoleViewer   Role = "viewer"   // read everything but secrets, which nobody can read
	RoleOperator Role = "operator" // start and cancel jobs, edit plans and repositories
	RoleAdmin    Role = "admin"    // enrol and revoke agents, manage users and tokens
)

// Allows tells whether role r includes need.
func (r Role) Allows(need Role) bool { return r.rank() >= need.rank() && need.rank() > 0 }

func (r Role) rank() int {
	switch r {
	case RoleViewer:
		return 1
	case RoleOperator:
		return 2
	case RoleAdmin:
		return 3
	}
	return 0
}

// Valid tells whether r is one of the three roles.
func (r Role) Valid() bool { return r.rank() > 0 }

// SecretStore says where a host keeps repository passwords.
type SecretStore string

// The stores. Which one is in use is chosen at enrolment and shown everywhere.
const (
	SecretsKeyring    SecretStore = "keyring"            // the OS keyring
	SecretsSealedFile SecretStore = "sealed-file"        // an age file, its key in a folder beside the data
	SecretsSystemd    SecretStore = "systemd-credential" // an age file, its key sealed by systemd to this host (TPM or host key)
)

// Valid tells whether s is one of the stores.
func (s SecretStore) Valid() bool {
	return s == SecretsKeyring || s == SecretsSealedFile || s == SecretsSystemd
}

// Host is a machine with an enrolled agent.
type Host struct {
	ID            HostID         `json:"id"`
	Name          string         `json:"name"` // unique; the host name unless renamed
	AgentID       AgentID        `json:"agent_id"`
	Hostname      string         `json:"hostname"`
	OS            string         `json:"os"`   // GOOS
	Arch          string         `json:"arch"` // GOARCH
	AgentVersion  string         `json:"agent_version"`
	ResticVersion string         `json:"restic_version"` // empty: none usable found
	SecretStore   SecretStore    `json:"secret_store"`
	Secrets       []RepositoryID `json:"secrets"`       // repositories whose password this host holds
	SealingKey    string         `json:"sealing_key"`   // age recipient; credentials for this host are sealed to it
	RestoreRoot   string         `json:"restore_root"`  // restores write below it
	Online        bool           `json:"online"`        // an agent session is open now
	ClockSkewMS   int64          `json:"clock_skew_ms"` // host's clock minus daemon's at the last hello
	EnrolledAt    time.Time      `json:"enrolled_at"`
	LastSeenAt    *time.Time     `json:"last_seen_at,omitempty"`
	RevokedAt     *time.Time     `json:"revoked_at,omitempty"`
	ClonedAt      *time.Time     `json:"cloned_at,omitempty"` // when two agents that use this host's identity last met; they shut each other out
	LastJobID     JobID          `json:"last_job_id,omitempty"`
	Backups       []BackupMark   `json:"backups"`               // the newest that ended, newest last, at most MaxBackupMarks
	LastBackup    *BackupMark    `json:"last_backup,omitempty"` // the newest that saved a snapshot, however long ago
	Rev           int64          `json:"rev"`
}

// NoteBackup takes the end of a backup into Backups and LastBackup.
func (h *Host) NoteBackup(m BackupMark) {
	h.Backups = WithMark(h.Backups, m)
	if m.Saved() && (h.LastBackup == nil || !m.At.Before(h.LastBackup.At)) {
		h.LastBackup = &m
	}
}

// RepositorySpec is what an agent needs to know of a repository, credentials aside.
type RepositorySpec struct {
	ID      RepositoryID      `json:"id"`
	URL     string            `json:"url"`               // restic's syntax, no credentials in it; see ParseRepositoryURL
	CACert  string            `json:"ca_cert,omitempty"` // PEM, for a server whose CA the host does not know
	Options map[string]string `json:"options,omitempty"` // restic -o options, from the table RepositoryOptions only
}

// Repository is a restic repository known to Backstay.
type Repository struct {
	ID        RepositoryID      `json:"id"`
	Name      string            `json:"name"` // unique
	URL       string            `json:"url"`
	CACert    string            `json:"ca_cert,omitempty"`
	Options   map[string]string `json:"options,omitempty"`
	CreatedAt time.Time         `json:"created_at"`

	SnapshotCount int64      `json:"snapshot_count,omitempty"` // as last listed, and what backups added since
	ListedAt      *time.Time `json:"listed_at,omitempty"`      // when all its snapshots were last listed
	LastBackup    *JobMark   `json:"last_backup,omitempty"`    // the newest that saved a snapshot
	LastCheck     *JobMark   `json:"last_check,omitempty"`     // the newest that was not cancelled

	Rev int64 `json:"rev"`
}

// Spec is the part of r that an agent is told.
func (r Repository) Spec() RepositorySpec {
	return RepositorySpec{ID: r.ID, URL: r.URL, CACert: r.CACert, Options: r.Options}
}

// Plan is what, where, when: the paths of hosts, the repository they go to, and when that happens by itself.
type Plan struct {
	ID           PlanID       `json:"id"`
	Name         string       `json:"name"` // unique
	RepositoryID RepositoryID `json:"repository_id"`
	Hosts        []HostID     `json:"hosts"`
	Backup       BackupSpec   `json:"backup"`
	Schedule     *Schedule    `json:"schedule,omitempty"` // none: its backups are started by hand
	CreatedAt    time.Time    `json:"created_at"`
	Rev          int64        `json:"rev"`
}

// Snapshot is a restic snapshot as last reported by an agent.
type Snapshot struct {
	ID             SnapshotID   `json:"id"`
	RepositoryID   RepositoryID `json:"repository_id"`
	Time           time.Time    `json:"time"`
	Hostname       string       `json:"hostname"`
	Username       string       `json:"username,omitempty"`
	Paths          []string     `json:"paths"`
	Tags           []string     `json:"tags,omitempty"`
	Parent         SnapshotID   `json:"parent,omitempty"`
	ProgramVersion string       `json:"program_version,omitempty"`
	JobID          JobID        `json:"job_id,omitempty"`  // from the tag job:<id>
	PlanID         PlanID       `json:"plan_id,omitempty"` // from the tag plan:<id>, or the job's
	HostID         HostID       `json:"host_id,omitempty"` // the job's, or the one host that has this hostname
	FilesProcessed int64        `json:"files_processed,omitempty"`
	BytesProcessed int64        `json:"bytes_processed,omitempty"`
	BytesAdded     int64        `json:"bytes_added,omitempty"` // packed
}
