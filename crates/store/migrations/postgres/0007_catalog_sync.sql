-- When a source that is read over the network is due again after a complete sync. After an incomplete one there is no row, and
-- the source is due at once. `configuration` is a digest: a changed configuration makes the source due, too.
CREATE TABLE IF NOT EXISTS catalog_sync (
    workspace_id INTEGER NOT NULL,
    source_id VARCHAR(255) COLLATE "C" NOT NULL,
    configuration VARCHAR(64) COLLATE "C" NOT NULL,
    next_time BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, source_id)
);
