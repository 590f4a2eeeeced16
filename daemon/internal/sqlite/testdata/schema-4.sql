CREATE TABLE agents (
    id          TEXT    PRIMARY KEY,
    host_id     TEXT    NOT NULL REFERENCES hosts (id),
    enrolled_at INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
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
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL,
    object TEXT    NOT NULL,
    detail TEXT    NOT NULL,
    hash   TEXT    NOT NULL
) STRICT;
CREATE TABLE backup_hours (
    hour        INTEGER PRIMARY KEY,
    succeeded   INTEGER NOT NULL,
    warning     INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    cancelled   INTEGER NOT NULL,
    bytes_added INTEGER NOT NULL
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
CREATE TABLE host_secrets (
    host_id       TEXT NOT NULL REFERENCES hosts (id),
    repository_id TEXT NOT NULL REFERENCES repositories (id),
    PRIMARY KEY (host_id, repository_id)
) STRICT, WITHOUT ROWID;
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
, backups TEXT NOT NULL DEFAULT '', last_backup TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE idempotency (
    actor      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    job_id     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE meta (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    epoch       TEXT    NOT NULL,
    rev         INTEGER NOT NULL,
    audit_count INTEGER NOT NULL,
    audit_head  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE plan_hosts (
    plan_id TEXT    NOT NULL REFERENCES plans (id),
    host_id TEXT    NOT NULL REFERENCES hosts (id),
    place   INTEGER NOT NULL,
    PRIMARY KEY (plan_id, host_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE plans (
    id            TEXT    PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    repository_id TEXT    NOT NULL REFERENCES repositories (id),
    backup        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    rev           INTEGER NOT NULL
, schedule TEXT) STRICT;
CREATE TABLE repositories (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    url        TEXT    NOT NULL,
    ca_cert    TEXT    NOT NULL,
    options    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    listed_rev INTEGER NOT NULL DEFAULT 0, -- created_rev of the job whose listing of snapshots was last taken in whole
    rev        INTEGER NOT NULL
, snapshot_count INTEGER NOT NULL DEFAULT 0, listed_at INTEGER, last_backup TEXT, last_check TEXT) STRICT;
CREATE TABLE sessions (
    id         TEXT    PRIMARY KEY,
    hash       TEXT    NOT NULL UNIQUE,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    remote     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE snapshot_parts (
    job_id        TEXT    NOT NULL,
    part          INTEGER NOT NULL,
    repository_id TEXT    NOT NULL,
    PRIMARY KEY (job_id, part)
) STRICT, WITHOUT ROWID;
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
    paths           TEXT    NOT NULL, host_id TEXT NOT NULL DEFAULT '', plan_id TEXT NOT NULL DEFAULT '',
    UNIQUE (repository_id, id)
) STRICT;
CREATE TABLE users (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL,
    password   TEXT    NOT NULL, -- argon2id, encoded
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO "meta" VALUES(1,'5c1d0000000000000000000000005c1d',40,0,'',1764000000000000);
INSERT INTO "hosts" VALUES('H1','web1','A1','web1','linux','amd64','1.0.0','0.19.1','keyring','age1x','/r',1,0,1764000000000000,NULL,NULL,'J3',NULL,0,30,'J1 succeeded 1764000009000007 5000 15
J2 failed 1764003660000000 0 0
J3 lost 1764007300000000 0 0','J1 succeeded 1764000009000007 5000 15');
INSERT INTO "hosts" VALUES('H2','web2','A2','web2','linux','amd64','1.0.0','0.19.1','keyring','age1x','/r',0,0,1764000000000000,NULL,NULL,'',NULL,0,31,'J6 cancelled 1764007300000000 0 0','');
INSERT INTO "hosts" VALUES('H3','twin','A3','twin','linux','amd64','1.0.0','0.19.1','keyring','age1x','/r',1,0,1764000000000000,NULL,NULL,'',NULL,0,32,'','');
INSERT INTO "hosts" VALUES('H4','twin-2','A4','twin','linux','amd64','1.0.0','0.19.1','keyring','age1x','/r',1,0,1764000000000000,NULL,NULL,'',NULL,0,33,'','');
INSERT INTO "agents" VALUES('A1','H1',1764000000000000,NULL);
INSERT INTO "agents" VALUES('A2','H2',1764000000000000,NULL);
INSERT INTO "repositories" VALUES('R1','main','/srv/main','','null',1764000000000000,25,3,4,1764007500000003,'{"job_id":"J1","host_id":"H1","state":"succeeded","reason":"","at":"2025-11-24T16:00:09.000007Z"}','{"job_id":"J4","host_id":"H1","state":"failed","reason":"repository_damaged","at":"2025-11-24T18:01:40.000000Z"}');
INSERT INTO "jobs" VALUES(1,'J1','H1','P1','R1','backup','succeeded',1,0,1,'ada',1764000000000000,1764000001000000,1764000009000007,1764000010000000,5,100,7,1,10,11,'{"state":"succeeded","summary":{"backup":{"snapshot_id":"aa","total_bytes_processed":5000,"data_added":20,"data_added_packed":15}},"started_at":"2025-11-24T16:00:01Z","finished_at":"2025-11-24T16:00:09.000007Z"}','{"job_id":"J1","kind":"backup"}');
INSERT INTO "jobs" VALUES(2,'J2','H1','','R1','backup','failed',1,0,1,'ada',1764003600000000,NULL,1764090000000000,1764003660000000,0,0,0,1,12,13,'{"state":"failed","started_at":"2025-11-24T16:00:01Z","finished_at":"2025-11-25T17:00:00Z"}','{"job_id":"J2","kind":"backup"}');
INSERT INTO "jobs" VALUES(3,'J3','H1','','R1','backup','lost',1,0,1,'ada',1764007200000000,NULL,1764007300000000,1764007300000000,0,0,0,0,14,15,'{"state":"lost","started_at":"0001-01-01T00:00:00Z","finished_at":"2025-11-24T18:01:40Z"}','{"job_id":"J3","kind":"backup"}');
INSERT INTO "jobs" VALUES(4,'J4','H1','','R1','check','failed',1,0,1,'ada',1764007200000000,NULL,1764007300000000,1764007300000000,0,0,0,1,16,17,'{"state":"failed","reason":"repository_damaged","started_at":"2025-11-24T16:00:01Z","finished_at":"2025-11-24T18:01:40Z"}','{"job_id":"J4","kind":"check"}');
INSERT INTO "jobs" VALUES(5,'J5','H1','','R1','backup','running',0,0,1,'ada',1764007200000000,1764007200000000,NULL,1764007300000000,0,0,0,0,18,19,NULL,'{"job_id":"J5","kind":"backup"}');
INSERT INTO "jobs" VALUES(6,'J6','H2','','R1','backup','cancelled',1,1,0,'ada',1764007200000000,NULL,NULL,1764007300000000,0,0,0,1,20,21,'{"state":"cancelled","reason":"cancelled","started_at":"0001-01-01T00:00:00Z","finished_at":"2025-11-24T18:01:40Z"}','{"job_id":"J6","kind":"backup"}');
INSERT INTO "jobs" VALUES(7,'J7','H1','','R1','snapshots','succeeded',1,0,1,'ada',1764007400000000,NULL,1764007500000003,1764007500000003,0,0,0,1,25,26,'{"state":"succeeded","started_at":"2025-11-24T16:00:01Z","finished_at":"2025-11-24T18:05:00Z"}','{"job_id":"J7","kind":"snapshots"}');
INSERT INTO "jobs" VALUES(8,'J8','H1','','R1','check','cancelled',1,1,0,'ada',1764007400000000,NULL,1764007500000000,1764007500000000,0,0,0,1,27,28,'{"state":"cancelled","reason":"cancelled","started_at":"2025-11-24T16:00:01Z","finished_at":"2025-11-24T18:05:00Z"}','{"job_id":"J8","kind":"check"}');
INSERT INTO "audit" VALUES(1,1764000000000000,'enrolment:E1','host.enrol','H1','web1 with agent A1','');
INSERT INTO "backup_hours" VALUES(490000,1,0,0,0,15);
INSERT INTO "backup_hours" VALUES(490001,0,0,1,0,0);
INSERT INTO "backup_hours" VALUES(490002,0,0,1,1,0);
INSERT INTO "enrolment_tokens" VALUES('E1','x1','H1','ada',1764000000000000,1764003600000000,1764000000000000);
INSERT INTO "enrolment_tokens" VALUES('E2','x2','','ada',1764000000000000,1764003600000000,NULL);
INSERT INTO "enrolment_tokens" VALUES('E3','x3','H2','ada',1764000000000000,1764003600000000,NULL);
INSERT INTO "snapshots" VALUES(1,'R1','aa',1764000001000000,'web1','root',',job:J1,','','','J1',3,5000,15,'',11,'["/etc"]','H1','P1');
INSERT INTO "snapshots" VALUES(2,'R1','bb',1763000001000000,'old','root','','','','',0,0,0,'J0',9,'["/etc"]','','');
INSERT INTO "snapshots" VALUES(3,'R1','cc',1763000002000000,'web2','root','','','','',0,0,0,'J7',26,'["/etc"]','H2','');
INSERT INTO "snapshots" VALUES(4,'R1','dd',1763000003000000,'twin','root','','','','',0,0,0,'J7',26,'["/etc"]','','');
CREATE INDEX hosts_online ON hosts (online);
CREATE INDEX agents_host ON agents (host_id);
CREATE INDEX host_secrets_repository ON host_secrets (repository_id);
CREATE INDEX plans_repository ON plans (repository_id);
CREATE INDEX plan_hosts_host ON plan_hosts (host_id);
CREATE INDEX jobs_host ON jobs (host_id, n);
CREATE INDEX jobs_host_state ON jobs (host_id, state, n);
CREATE INDEX jobs_plan ON jobs (plan_id, n);
CREATE INDEX jobs_plan_state ON jobs (plan_id, state, n);
CREATE INDEX jobs_repository ON jobs (repository_id, n);
CREATE INDEX jobs_repository_state ON jobs (repository_id, state, n);
CREATE INDEX jobs_kind_state ON jobs (kind, state, n);
CREATE INDEX jobs_state ON jobs (state, n);
CREATE INDEX jobs_open ON jobs (host_id, n) WHERE ended = 0;
CREATE INDEX idempotency_created ON idempotency (created_at);
CREATE INDEX snapshots_time ON snapshots (time, id, repository_id);
CREATE INDEX snapshots_repository ON snapshots (repository_id, time, id);
CREATE INDEX snapshots_hostname ON snapshots (hostname, time, id, repository_id);
CREATE INDEX snapshots_id ON snapshots (id);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX hosts_hostname ON hosts (hostname);
CREATE INDEX snapshots_host ON snapshots (host_id, time, id, repository_id);
CREATE INDEX snapshots_plan ON snapshots (plan_id, time, id, repository_id);
PRAGMA user_version = 4;
