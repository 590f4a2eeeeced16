-- When the backups of a plan begin by themselves: fleet.Schedule, or null.

ALTER TABLE plans ADD COLUMN schedule TEXT;
