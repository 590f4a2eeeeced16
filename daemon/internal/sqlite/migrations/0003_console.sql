-- Which host and plan a snapshot is of, and what is known of a repository beside its settings. host_id is that of the job that
-- made the snapshot, or of the one host with its hostname; '' when there is none.

ALTER TABLE snapshots ADD COLUMN host_id TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshots ADD COLUMN plan_id TEXT NOT NULL DEFAULT '';
CREATE INDEX hosts_hostname ON hosts (hostname);

UPDATE snapshots SET
    host_id = coalesce((SELECT host_id FROM jobs WHERE id = snapshots.job_id AND repository_id = snapshots.repository_id),
        (SELECT max(id) FROM hosts WHERE hostname = snapshots.hostname AND revoked_at IS NULL HAVING count(*) = 1), ''),
    plan_id = coalesce((SELECT plan_id FROM jobs WHERE id = snapshots.job_id AND repository_id = snapshots.repository_id), '');
CREATE INDEX snapshots_host ON snapshots (host_id, time, id, repository_id);
CREATE INDEX snapshots_plan ON snapshots (plan_id, time, id, repository_id);

ALTER TABLE repositories ADD COLUMN snapshot_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN listed_at INTEGER; -- when the listing of listed_rev was taken in
ALTER TABLE repositories ADD COLUMN last_backup TEXT;  -- fleet.JobMark
ALTER TABLE repositories ADD COLUMN last_check TEXT;   -- fleet.JobMark

-- As fleet.JobMarkOf has it.
CREATE TEMP VIEW mark AS SELECT n, repository_id, kind, state, json_object('job_id', id, 'host_id', host_id, 'state', state,
    'reason', coalesce(json_extract(outcome, '$.reason'), ''),
    'at', printf('%s.%06dZ', strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch'), at % 1000000)) AS mark
FROM (SELECT *, min(max(coalesce(finished_at, updated_at), created_at), updated_at) AS at FROM main.jobs WHERE ended = 1);

UPDATE repositories SET
    snapshot_count = (SELECT count(*) FROM snapshots WHERE repository_id = repositories.id),
    listed_at = (SELECT coalesce(finished_at, updated_at) FROM jobs
        WHERE kind = 'snapshots' AND state = 'succeeded' AND repository_id = repositories.id AND listed_rev > 0 ORDER BY n DESC LIMIT 1),
    last_backup = (SELECT mark FROM temp.mark
        WHERE kind = 'backup' AND state IN ('succeeded', 'warning') AND repository_id = repositories.id ORDER BY n DESC LIMIT 1),
    last_check = (SELECT mark FROM temp.mark
        WHERE kind = 'check' AND state <> 'cancelled' AND repository_id = repositories.id ORDER BY n DESC LIMIT 1);

DROP VIEW temp.mark;

-- A token that was used is of the host that used it; the audit log knows which one that was.
UPDATE enrolment_tokens SET host_id = was.host FROM
    (SELECT substr(actor, 11) AS id, object AS host FROM audit WHERE action = 'host.enrol') AS was
WHERE enrolment_tokens.id = was.id AND enrolment_tokens.used_at IS NOT NULL;
