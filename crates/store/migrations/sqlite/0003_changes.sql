-- Sequence numbers of the change feed, and the state of resumable imports.
--
-- `change_sequence` holds the last assigned sequence number, and its row is the lock for assigning more. It is separate from
-- the log, so that numbers are never reused, even if the newest changes are deleted.

-- Changes without a sequence number are found in the index of sequence numbers, whose NULL entries are in the order of ids.

CREATE TABLE IF NOT EXISTS change_sequence (
    id INTEGER NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL
);
INSERT OR IGNORE INTO change_sequence (id, last) SELECT 1, COALESCE(MAX(sequence), 0) FROM change_log;

-- One row per imported file. `line` is the last line whose entity is imported; the offsets are added to its ids.
CREATE TABLE IF NOT EXISTS import_run (
    digest TEXT NOT NULL PRIMARY KEY,
    resource_offset INTEGER NOT NULL,
    artifact_offset INTEGER NOT NULL,
    point_offset INTEGER NOT NULL,
    line INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    finish_time INTEGER NULL
);
