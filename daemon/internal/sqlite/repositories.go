package sqlite

import (
	"context"
	"maps"
	"slices"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

const repositoryColumns = "id, name, url, ca_cert, options, created_at, snapshot_count, listed_at, last_backup, last_check, rev"

func scanRepository(s scanner) (fleet.Repository, error) {
	var r fleet.Repository
	err := s.Scan(&r.ID, &r.Name, &r.URL, &r.CACert, asJSON{&r.Options}, when{&r.CreatedAt},
		&r.SnapshotCount, maybe{&r.ListedAt}, jsonOrNull{&r.LastBackup}, jsonOrNull{&r.LastCheck}, &r.Rev)
	return r, err
}

func (r *reader) Repository(ctx context.Context, id fleet.RepositoryID) (fleet.Repository, error) {
	return one(ctx, r.q, "read repository", scanRepository, "SELECT "+repositoryColumns+" FROM repositories WHERE id = ?", string(id))
}

func (r *reader) RepositoryByName(ctx context.Context, name string) (fleet.Repository, error) {
	return one(ctx, r.q, "read repository", scanRepository, "SELECT "+repositoryColumns+" FROM repositories WHERE name = ?", name)
}

func (r *reader) Repositories(ctx context.Context) ([]fleet.Repository, error) {
	return many(ctx, r.q, "read repositories", scanRepository, "SELECT "+repositoryColumns+" FROM repositories ORDER BY name")
}

func (r *reader) KnownRepositories(ctx context.Context, ids []fleet.RepositoryID) ([]fleet.RepositoryID, error) {
	known := []fleet.RepositoryID{}
	for chunk := range slices.Chunk(ids, chunkSize) {
		found, err := many(ctx, r.q, "read known repositories", text[fleet.RepositoryID],
			"SELECT id FROM repositories WHERE id IN ("+marks(len(chunk))+") ORDER BY id", anys(chunk)...)
		if err != nil {
			return nil, err
		}
		known = append(known, found...)
	}
	return known, nil
}

// PutRepository inserts or replaces a repository.
func (w *writer) PutRepository(ctx context.Context, r *fleet.Repository) error {
	r.CreatedAt = stored(r.CreatedAt)
	if len(r.Options) == 0 {
		r.Options = nil
	}
	published := *r
	published.Options = maps.Clone(r.Options)
	r.Rev = w.changed(api.Row{Kind: "repository", ID: string(r.ID), Repository: &published})
	published.Rev = r.Rev
	options, err := toJSON(r.Options)
	if err != nil {
		return err
	}
	err = w.exec(ctx, "write repository", `INSERT INTO repositories (id, name, url, ca_cert, options, created_at, rev)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT (id) DO UPDATE SET name = ?2, url = ?3, ca_cert = ?4, options = ?5, rev = ?7`,
		string(r.ID), r.Name, r.URL, r.CACert, options, micros(r.CreatedAt), r.Rev)
	if err != nil {
		return err
	}
	hosts, err := many(ctx, w.q, "read repository's hosts", text[fleet.HostID], `SELECT DISTINCT ph.host_id FROM plan_hosts ph
		JOIN plans p ON p.id = ph.plan_id WHERE p.repository_id = ? ORDER BY ph.host_id`, string(r.ID))
	if err != nil {
		return err
	}
	return w.configure(ctx, hosts)
}

// NoteRepository writes what was found out about a repository; no host's desired state changes by that.
func (w *writer) NoteRepository(ctx context.Context, r *fleet.Repository) error {
	r.ListedAt = storedOrNil(r.ListedAt)
	published := *r
	r.Rev = w.changed(api.Row{Kind: "repository", ID: string(r.ID), Repository: &published})
	published.Rev = r.Rev
	backup, err := toJSON(r.LastBackup)
	if err != nil {
		return err
	}
	check, err := toJSON(r.LastCheck)
	if err != nil {
		return err
	}
	return w.exec(ctx, "note repository", `UPDATE repositories SET snapshot_count = ?, listed_at = ?, last_backup = ?,
		last_check = ?, rev = ? WHERE id = ?`, r.SnapshotCount, microsOrNull(r.ListedAt), backup, check, r.Rev, string(r.ID))
}

// DeleteRepository removes a repository that no plan refers to, with its snapshots; hosts that held its secret are changed.
func (w *writer) DeleteRepository(ctx context.Context, id fleet.RepositoryID) error {
	holders, err := many(ctx, w.q, "read repository's holders", text[fleet.HostID],
		"SELECT host_id FROM host_secrets WHERE repository_id = ? ORDER BY host_id", string(id))
	if err != nil {
		return err
	}
	for _, host := range holders {
		h, err := w.Host(ctx, host)
		if err != nil {
			return err
		}
		h.Secrets = slices.DeleteFunc(h.Secrets, func(r fleet.RepositoryID) bool { return r == id })
		if err := w.PutHost(ctx, &h); err != nil {
			return err
		}
	}
	if err := w.exec(ctx, "delete snapshots", "DELETE FROM snapshots WHERE repository_id = ?", string(id)); err != nil {
		return err
	}
	if err := w.exec(ctx, "delete listing", "DELETE FROM snapshot_parts WHERE repository_id = ?", string(id)); err != nil {
		return err
	}
	if err := w.exec(ctx, "delete repository", "DELETE FROM repositories WHERE id = ?", string(id)); err != nil {
		return err
	}
	w.changed(api.Row{Kind: "repository", ID: string(id), Deleted: true})
	return nil
}
