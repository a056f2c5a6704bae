-- The change feed's numbering, and what an import has to remember to go on after it was cut off.
--
-- `change_sequence` is the lock under which numbers are given to changes, and the last number given. It is a row of its
-- own, so that numbers never come twice, even if the newest changes are deleted from the log one day.

-- Changes without a number are found in the index of the numbers: its entries for NULL are in the order of the ids.

CREATE TABLE IF NOT EXISTS change_sequence (
    id INTEGER NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL
);
INSERT OR IGNORE INTO change_sequence (id, last) SELECT 1, COALESCE(MAX(sequence), 0) FROM change_log;

-- One row per imported file. `line` is the last line whose entity is here; the offsets are what was added to its ids.
CREATE TABLE IF NOT EXISTS import_run (
    digest TEXT NOT NULL PRIMARY KEY,
    resource_offset INTEGER NOT NULL,
    artifact_offset INTEGER NOT NULL,
    point_offset INTEGER NOT NULL,
    line INTEGER NOT NULL,
    start_time INTEGER NOT NULL,
    finish_time INTEGER NULL
);
