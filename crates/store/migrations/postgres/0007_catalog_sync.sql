-- When a source that is read over the network is due, after a sync that brought everything. There is no row after another
-- one: such a source is read at once by whoever begins to load. `configuration` is a digest: another configuration makes
-- the source due as well.
CREATE TABLE IF NOT EXISTS catalog_sync (
    workspace_id INTEGER NOT NULL,
    source_id VARCHAR(255) COLLATE "C" NOT NULL,
    configuration VARCHAR(64) COLLATE "C" NOT NULL,
    next_time BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, source_id)
);
