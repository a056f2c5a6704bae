-- Sequence numbers of the change feed, and the state of resumable imports.
--
-- `change_sequence` holds the last assigned sequence number, and its row is the lock for assigning more. It is separate from
-- the log, so that numbers are never reused, even if the newest changes are deleted.

-- Changes without a sequence number are found in the index of sequence numbers, whose NULL entries are in the order of ids.

CREATE TABLE IF NOT EXISTS change_sequence (
    id INT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE {collation};
INSERT IGNORE INTO change_sequence (id, last) SELECT 1, COALESCE(MAX(sequence), 0) FROM change_log;

-- One row per imported file. `line` is the last line whose entity is imported; the offsets are added to its ids.
CREATE TABLE IF NOT EXISTS import_run (
    digest VARCHAR(64) NOT NULL PRIMARY KEY,
    resource_offset BIGINT NOT NULL,
    artifact_offset BIGINT NOT NULL,
    point_offset BIGINT NOT NULL,
    line BIGINT NOT NULL,
    start_time BIGINT NOT NULL,
    finish_time BIGINT NULL
) CHARACTER SET utf8mb4 COLLATE {collation};
