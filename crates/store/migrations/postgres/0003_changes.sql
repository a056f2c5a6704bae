-- The change feed's numbering, and what an import has to remember to go on after it was cut off.
--
-- `change_sequence` is the lock under which numbers are given to changes, and the last number given. It is a row of its
-- own, so that numbers never come twice, even if the newest changes are deleted from the log one day.

CREATE TABLE IF NOT EXISTS change_sequence (
    id INTEGER NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);
INSERT INTO change_sequence (id, last) SELECT 1, COALESCE(MAX(sequence), 0) FROM change_log ON CONFLICT DO NOTHING;

-- Changes without a number: few, and the index holds no others.
CREATE INDEX IF NOT EXISTS change_log_pending ON change_log (id) WHERE sequence IS NULL;

-- One row per imported file. `line` is the last line whose entity is here; the offsets are what was added to its ids.
CREATE TABLE IF NOT EXISTS import_run (
    digest VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    resource_offset BIGINT NOT NULL,
    artifact_offset BIGINT NOT NULL,
    point_offset BIGINT NOT NULL,
    line BIGINT NOT NULL,
    start_time BIGINT NOT NULL,
    finish_time BIGINT NULL
);
