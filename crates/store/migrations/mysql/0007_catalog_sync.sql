-- When a source that is read over the network is due, after a sync that brought everything. There is no row after another
-- one: such a source is read at once by whoever begins to load. `configuration` is a digest: another configuration makes
-- the source due as well.
CREATE TABLE IF NOT EXISTS catalog_sync (
    workspace_id INT NOT NULL,
    source_id VARCHAR(255) NOT NULL,
    configuration VARCHAR(64) NOT NULL,
    next_time BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, source_id)
) CHARACTER SET utf8mb4 COLLATE {collation};
