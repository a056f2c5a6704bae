-- Indexes for filters: the owners of each property name in the order of their ids, and entities by name without a parent.
--
-- They are conditional, because MySQL has no IF NOT EXISTS for indexes.

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = 'property' AND index_name = 'property_name'
    ),
    'DO 0',
    'ALTER TABLE property ADD KEY property_name (workspace_id, kind, name, owner_id)'
);
PREPARE add_index FROM @statement;
EXECUTE add_index;
DEALLOCATE PREPARE add_index;

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = 'resource' AND index_name = 'resource_kind_name'
    ),
    'DO 0',
    'ALTER TABLE resource ADD KEY resource_kind_name (workspace_id, kind, name, id)'
);
PREPARE add_index FROM @statement;
EXECUTE add_index;
DEALLOCATE PREPARE add_index;

SET @statement = IF(
    EXISTS (
        SELECT 1 FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = 'artifact' AND index_name = 'artifact_kind_name'
    ),
    'DO 0',
    'ALTER TABLE artifact ADD KEY artifact_kind_name (workspace_id, kind, name, id)'
);
PREPARE add_index FROM @statement;
EXECUTE add_index;
DEALLOCATE PREPARE add_index;
