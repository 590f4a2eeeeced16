-- Times are microseconds since 1970 UTC. JSON columns hold what nobody filters on. Jobs and snapshots outlive plans and
-- repositories, so jobs refer to those by id alone.

CREATE TABLE meta (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    epoch       TEXT    NOT NULL,
    rev         INTEGER NOT NULL,
    audit_count INTEGER NOT NULL,
    audit_head  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE hosts (
    id             TEXT    PRIMARY KEY,
    name           TEXT    NOT NULL UNIQUE,
    agent_id       TEXT    NOT NULL,
    hostname       TEXT    NOT NULL,
    os             TEXT    NOT NULL,
    arch           TEXT    NOT NULL,
    agent_version  TEXT    NOT NULL,
    restic_version TEXT    NOT NULL,
    secret_store   TEXT    NOT NULL,
    sealing_key    TEXT    NOT NULL,
    restore_root   TEXT    NOT NULL,
    online         INTEGER NOT NULL,
    clock_skew_ms  INTEGER NOT NULL,
    enrolled_at    INTEGER NOT NULL,
    last_seen_at   INTEGER,
    revoked_at     INTEGER,
    last_job_id    TEXT    NOT NULL,
    seen_at        INTEGER,                    -- newest heartbeat while online; written now and then, without a rev
    config_version INTEGER NOT NULL DEFAULT 0, -- rev of the last change of the plans and repositories of this host
    rev            INTEGER NOT NULL
) STRICT;
CREATE INDEX hosts_online ON hosts (online);

CREATE TABLE agents (
    id          TEXT    PRIMARY KEY,
    host_id     TEXT    NOT NULL REFERENCES hosts (id),
    enrolled_at INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
CREATE INDEX agents_host ON agents (host_id);

CREATE TABLE repositories (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    url        TEXT    NOT NULL,
    ca_cert    TEXT    NOT NULL,
    options    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    listed_rev INTEGER NOT NULL DEFAULT 0, -- created_rev of the job whose listing of snapshots was last taken in whole
    rev        INTEGER NOT NULL
) STRICT;

CREATE TABLE host_secrets (
    host_id       TEXT NOT NULL REFERENCES hosts (id),
    repository_id TEXT NOT NULL REFERENCES repositories (id),
    PRIMARY KEY (host_id, repository_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX host_secrets_repository ON host_secrets (repository_id);

CREATE TABLE plans (
    id            TEXT    PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    repository_id TEXT    NOT NULL REFERENCES repositories (id),
    backup        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    rev           INTEGER NOT NULL
) STRICT;
CREATE INDEX plans_repository ON plans (repository_id);

CREATE TABLE plan_hosts (
    plan_id TEXT    NOT NULL REFERENCES plans (id),
    host_id TEXT    NOT NULL REFERENCES hosts (id),
    place   INTEGER NOT NULL,
    PRIMARY KEY (plan_id, host_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_hosts_host ON plan_hosts (host_id);

-- n is the order in which jobs became known here: the order of every list. Long columns come last, so that a filter that
-- looks at a row reads one page of it.
CREATE TABLE jobs (
    n                INTEGER PRIMARY KEY,
    id               TEXT    NOT NULL UNIQUE,
    host_id          TEXT    NOT NULL REFERENCES hosts (id),
    plan_id          TEXT    NOT NULL,
    repository_id    TEXT    NOT NULL,
    kind             TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    ended            INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    accepted         INTEGER NOT NULL,
    created_by       TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    updated_at       INTEGER NOT NULL,
    log_seq          INTEGER NOT NULL,
    log_bytes        INTEGER NOT NULL,
    log_crc32c       INTEGER NOT NULL,
    log_sealed       INTEGER NOT NULL,
    created_rev      INTEGER NOT NULL,
    rev              INTEGER NOT NULL,
    outcome          TEXT,
    spec             TEXT    NOT NULL
) STRICT;
CREATE INDEX jobs_host ON jobs (host_id, n);
CREATE INDEX jobs_host_state ON jobs (host_id, state, n);
CREATE INDEX jobs_plan ON jobs (plan_id, n);
CREATE INDEX jobs_plan_state ON jobs (plan_id, state, n);
CREATE INDEX jobs_repository ON jobs (repository_id, n);
CREATE INDEX jobs_repository_state ON jobs (repository_id, state, n);
CREATE INDEX jobs_kind_state ON jobs (kind, state, n);
CREATE INDEX jobs_state ON jobs (state, n);
CREATE INDEX jobs_open ON jobs (host_id, n) WHERE ended = 0;

CREATE TABLE idempotency (
    actor      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    job_id     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE snapshots (
    n               INTEGER PRIMARY KEY,
    repository_id   TEXT    NOT NULL REFERENCES repositories (id),
    id              TEXT    NOT NULL,
    time            INTEGER NOT NULL,
    hostname        TEXT    NOT NULL,
    username        TEXT    NOT NULL,
    tag_list        TEXT    NOT NULL, -- ",a,b,": restic tags hold no comma
    parent          TEXT    NOT NULL,
    program_version TEXT    NOT NULL,
    job_id          TEXT    NOT NULL,
    files_processed INTEGER NOT NULL,
    bytes_processed INTEGER NOT NULL,
    bytes_added     INTEGER NOT NULL,
    listing         TEXT    NOT NULL, -- the job that listed it last
    rev             INTEGER NOT NULL, -- rev of the store when it was written last
    paths           TEXT    NOT NULL,
    UNIQUE (repository_id, id)
) STRICT;
CREATE INDEX snapshots_time ON snapshots (time, id, repository_id);
CREATE INDEX snapshots_repository ON snapshots (repository_id, time, id);
CREATE INDEX snapshots_hostname ON snapshots (hostname, time, id, repository_id);
CREATE INDEX snapshots_id ON snapshots (id);

CREATE TABLE snapshot_parts (
    job_id        TEXT    NOT NULL,
    part          INTEGER NOT NULL,
    repository_id TEXT    NOT NULL,
    PRIMARY KEY (job_id, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL,
    password   TEXT    NOT NULL, -- argon2id, encoded
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id         TEXT    PRIMARY KEY,
    hash       TEXT    NOT NULL UNIQUE,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    remote     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE api_tokens (
    id           TEXT    PRIMARY KEY,
    hash         TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL UNIQUE,
    role         TEXT    NOT NULL,
    created_by   TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE TABLE enrolment_tokens (
    id         TEXT    PRIMARY KEY,
    hash       TEXT    NOT NULL UNIQUE,
    host_id    TEXT    NOT NULL,
    created_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;

CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL,
    object TEXT    NOT NULL,
    detail TEXT    NOT NULL,
    hash   TEXT    NOT NULL
) STRICT;
