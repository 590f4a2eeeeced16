package sqlite

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

const hostColumns = `id, name, agent_id, hostname, os, arch, agent_version, restic_version, secret_store, sealing_key,
	restore_root, online, clock_skew_ms, enrolled_at, last_seen_at, revoked_at, cloned_at, last_job_id, backups, last_backup, rev`

func scanHost(s scanner) (fleet.Host, error) {
	var h fleet.Host
	err := s.Scan(&h.ID, &h.Name, &h.AgentID, &h.Hostname, &h.OS, &h.Arch, &h.AgentVersion, &h.ResticVersion, &h.SecretStore,
		&h.SealingKey, &h.RestoreRoot, &h.Online, &h.ClockSkewMS, when{&h.EnrolledAt}, maybe{&h.LastSeenAt}, maybe{&h.RevokedAt}, maybe{&h.ClonedAt},
		&h.LastJobID, markLines{&h.Backups}, markLine{&h.LastBackup}, &h.Rev)
	h.Secrets = []fleet.RepositoryID{}
	return h, err
}

func (r *reader) Host(ctx context.Context, id fleet.HostID) (fleet.Host, error) {
	return r.oneHost(ctx, "SELECT "+hostColumns+" FROM hosts WHERE id = ?", string(id))
}

func (r *reader) HostByName(ctx context.Context, name string) (fleet.Host, error) {
	return r.oneHost(ctx, "SELECT "+hostColumns+" FROM hosts WHERE name = ?", name)
}

func (r *reader) oneHost(ctx context.Context, query, arg string) (fleet.Host, error) {
	h, err := one(ctx, r.q, "read host", scanHost, query, arg)
	if err != nil {
		return h, err
	}
	h.Secrets, err = many(ctx, r.q, "read host's secrets", text[fleet.RepositoryID],
		"SELECT repository_id FROM host_secrets WHERE host_id = ? ORDER BY repository_id", string(h.ID))
	return h, err
}

func (r *reader) Hosts(ctx context.Context) ([]fleet.Host, error) {
	hosts, err := many(ctx, r.q, "read hosts", scanHost, "SELECT "+hostColumns+" FROM hosts ORDER BY name")
	if err != nil {
		return nil, err
	}
	secrets, err := r.pairs(ctx, "read secrets", "SELECT host_id, repository_id FROM host_secrets ORDER BY host_id, repository_id")
	if err != nil {
		return nil, err
	}
	for i := range hosts {
		for _, repository := range secrets[string(hosts[i].ID)] {
			hosts[i].Secrets = append(hosts[i].Secrets, fleet.RepositoryID(repository))
		}
	}
	return hosts, nil
}

// pairs groups the second column of a query by its first.
func (r *reader) pairs(ctx context.Context, what, query string, args ...any) (map[string][]string, error) {
	rows, err := many(ctx, r.q, what, func(s scanner) (p [2]string, err error) {
		return p, s.Scan(&p[0], &p[1])
	}, query, args...)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]string)
	for _, p := range rows {
		out[p[0]] = append(out[p[0]], p[1])
	}
	return out, nil
}

func (r *reader) Agent(ctx context.Context, id fleet.AgentID) (fleet.HostID, bool, error) {
	type agent struct {
		host    fleet.HostID
		revoked bool
	}
	a, err := one(ctx, r.q, "read agent", func(s scanner) (a agent, err error) {
		return a, s.Scan(&a.host, &a.revoked)
	}, "SELECT host_id, revoked_at IS NOT NULL FROM agents WHERE id = ?", string(id))
	return a.host, a.revoked, err
}

func (r *reader) HostConfig(ctx context.Context, id fleet.HostID) (int64, []fleet.Plan, []fleet.Repository, error) {
	version, err := one(ctx, r.q, "read config version", func(s scanner) (v int64, err error) { return v, s.Scan(&v) },
		"SELECT config_version FROM hosts WHERE id = ?", string(id))
	if err != nil {
		return 0, nil, nil, err
	}
	plans, err := r.plans(ctx, "WHERE id IN (SELECT plan_id FROM plan_hosts WHERE host_id = ?)", string(id))
	if err != nil {
		return 0, nil, nil, err
	}
	repositories, err := many(ctx, r.q, "read host's repositories", scanRepository, "SELECT "+repositoryColumns+` FROM repositories
		WHERE id IN (SELECT p.repository_id FROM plans p JOIN plan_hosts ph ON ph.plan_id = p.id WHERE ph.host_id = ?)
		ORDER BY name`, string(id))
	return version, plans, repositories, err
}

func (r *reader) HostsSeen(ctx context.Context) ([]control.HostSeen, error) {
	return many(ctx, r.q, "read hosts seen", func(s scanner) (v control.HostSeen, err error) {
		return v, s.Scan(&v.ID, &v.Online, when{&v.At}, maybe{&v.ClonedAt})
	}, "SELECT id, online, max(coalesce(seen_at, 0), coalesce(last_seen_at, 0)), cloned_at FROM hosts WHERE revoked_at IS NULL ORDER BY id")
}

// PutHost inserts or replaces a host with the list of repositories whose secret it holds.
func (w *writer) PutHost(ctx context.Context, h *fleet.Host) error {
	h.EnrolledAt, h.LastSeenAt, h.RevokedAt, h.ClonedAt = stored(h.EnrolledAt), storedOrNil(h.LastSeenAt), storedOrNil(h.RevokedAt), storedOrNil(h.ClonedAt)
	h.Secrets = slices.Clone(h.Secrets)
	slices.Sort(h.Secrets)
	h.Secrets = slices.Compact(h.Secrets)
	if h.Secrets == nil {
		h.Secrets = []fleet.RepositoryID{}
	}
	if h.Backups == nil {
		h.Backups = []fleet.BackupMark{}
	}
	published := *h
	h.Rev = w.changed(api.Row{Kind: "host", ID: string(h.ID), Host: &published})
	published.Rev = h.Rev
	err := w.exec(ctx, "write host", `INSERT INTO hosts (id, name, agent_id, hostname, os, arch, agent_version, restic_version,
			secret_store, sealing_key, restore_root, online, clock_skew_ms, enrolled_at, last_seen_at, revoked_at, last_job_id, rev,
			backups, last_backup, cloned_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
		ON CONFLICT (id) DO UPDATE SET name = ?2, agent_id = ?3, hostname = ?4, os = ?5, arch = ?6, agent_version = ?7,
			restic_version = ?8, secret_store = ?9, sealing_key = ?10, restore_root = ?11, online = ?12, clock_skew_ms = ?13,
			enrolled_at = ?14, last_seen_at = ?15, revoked_at = ?16, last_job_id = ?17, rev = ?18, backups = ?19, last_backup = ?20,
			cloned_at = ?21`,
		string(h.ID), h.Name, string(h.AgentID), h.Hostname, h.OS, h.Arch, h.AgentVersion, h.ResticVersion,
		string(h.SecretStore), h.SealingKey, h.RestoreRoot, h.Online, h.ClockSkewMS, micros(h.EnrolledAt),
		microsOrNull(h.LastSeenAt), microsOrNull(h.RevokedAt), string(h.LastJobID), h.Rev, linesOf(h.Backups...), lineOf(h.LastBackup),
		microsOrNull(h.ClonedAt))
	if err != nil {
		return err
	}
	return w.putSecrets(ctx, h.ID, h.Secrets)
}

func (w *writer) putSecrets(ctx context.Context, host fleet.HostID, wanted []fleet.RepositoryID) error {
	had, err := many(ctx, w.q, "read host's secrets", text[fleet.RepositoryID],
		"SELECT repository_id FROM host_secrets WHERE host_id = ? ORDER BY repository_id", string(host))
	if err != nil || slices.Equal(had, wanted) {
		return err
	}
	if err := w.exec(ctx, "clear host's secrets", "DELETE FROM host_secrets WHERE host_id = ?", string(host)); err != nil {
		return err
	}
	for _, repository := range wanted {
		err := w.exec(ctx, "write host's secret", "INSERT INTO host_secrets (host_id, repository_id) VALUES (?, ?)",
			string(host), string(repository))
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) PutAgent(ctx context.Context, id fleet.AgentID, host fleet.HostID, at time.Time) error {
	return w.exec(ctx, "write agent", "INSERT INTO agents (id, host_id, enrolled_at) VALUES (?, ?, ?)",
		string(id), string(host), micros(at))
}

func (w *writer) RevokeAgents(ctx context.Context, host fleet.HostID, at time.Time) error {
	return w.exec(ctx, "revoke agents", "UPDATE agents SET revoked_at = ? WHERE host_id = ? AND revoked_at IS NULL",
		micros(at), string(host))
}

func (w *writer) SetHostSeen(ctx context.Context, id fleet.HostID, at time.Time) error {
	return w.exec(ctx, "write host seen", "UPDATE hosts SET seen_at = ? WHERE id = ?", micros(at), string(id))
}

// configure gives hosts a new version of their desired state: the rev of the change that was just made.
func (w *writer) configure(ctx context.Context, hosts []fleet.HostID) error {
	for chunk := range slices.Chunk(hosts, chunkSize) {
		args := append([]any{w.meta.rev}, anys(chunk)...)
		err := w.exec(ctx, "write config version", "UPDATE hosts SET config_version = ? WHERE id IN ("+marks(len(chunk))+")", args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// chunkSize is how many ids one statement takes.
const chunkSize = 500

func anys[T ~string](ids []T) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

// marks gives n placeholders.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }
