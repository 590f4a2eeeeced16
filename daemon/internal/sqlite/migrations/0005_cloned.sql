-- When two agents were last found that use one host's identity: fleet.Host.ClonedAt.

ALTER TABLE hosts ADD COLUMN cloned_at INTEGER;
