-- The last ends of backups of each host, and how many backups ended in each hour: kept up by the transaction that stores an end,
-- so that no list and no overview counts jobs. A mark is a line "job state at bytes added", its time in microseconds since 1970.

ALTER TABLE hosts ADD COLUMN backups TEXT NOT NULL DEFAULT '';
ALTER TABLE hosts ADD COLUMN last_backup TEXT NOT NULL DEFAULT ''; -- one line: the newest that saved a snapshot

CREATE TABLE backup_hours (
    hour        INTEGER PRIMARY KEY, -- hours since 1970 UTC
    succeeded   INTEGER NOT NULL,
    warning     INTEGER NOT NULL,
    failed      INTEGER NOT NULL, -- failed, interrupted, lost
    cancelled   INTEGER NOT NULL,
    bytes_added INTEGER NOT NULL  -- each job adds at most 2^48, whatever its agent reports
) STRICT;

-- As fleet.Job.EndedAt has it.
CREATE TEMP VIEW ended AS SELECT n, id, host_id, state,
    min(max(coalesce(finished_at, updated_at), created_at), updated_at) AS at,
    coalesce(json_extract(outcome, '$.summary.backup.total_bytes_processed'), 0) AS bytes,
    coalesce(json_extract(outcome, '$.summary.backup.data_added_packed'), 0) AS added
FROM main.jobs WHERE kind = 'backup' AND ended = 1;

UPDATE hosts SET
    backups = coalesce((SELECT group_concat(id || ' ' || state || ' ' || at || ' ' || bytes || ' ' || added, char(10) ORDER BY at, n)
        FROM (SELECT * FROM temp.ended WHERE host_id = hosts.id ORDER BY n DESC LIMIT 14)), ''),
    last_backup = coalesce((SELECT id || ' ' || state || ' ' || at || ' ' || bytes || ' ' || added
        FROM temp.ended WHERE host_id = hosts.id AND state IN ('succeeded', 'warning') ORDER BY n DESC LIMIT 1), '');

INSERT INTO backup_hours (hour, succeeded, warning, failed, cancelled, bytes_added)
SELECT at / 3600000000, sum(state = 'succeeded'), sum(state = 'warning'), sum(state IN ('failed', 'interrupted', 'lost')),
    sum(state = 'cancelled'), sum(min(max(added, 0), 281474976710656))
FROM temp.ended GROUP BY at / 3600000000;

DROP VIEW temp.ended;
