-- The most expensive indexes are created at the end of the first load: maintaining them row by row took half of its time.
-- If there are rows already, the indexes stay.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM catalog_item) AND NOT EXISTS (SELECT FROM catalog_property) THEN
        DROP INDEX IF EXISTS catalog_item_search;
        DROP INDEX IF EXISTS catalog_property_string;
        DROP INDEX IF EXISTS catalog_property_int;
        DROP INDEX IF EXISTS catalog_property_double;
    END IF;
END
$$;

-- Called at the end of every load that has written something. Only the owner of the tables may do this, so the function runs
-- with the owner's rights: the program may connect as another user once the schema exists. Readers are not blocked.
CREATE OR REPLACE FUNCTION catalog_end_load() RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    trigrams NAME;
BEGIN
    SELECT nspname INTO trigrams FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm';
    IF to_regclass('catalog_item_search') IS NOT NULL THEN
        -- Searches then find an empty pending list.
        PERFORM gin_clean_pending_list('catalog_item_search'::regclass);
    ELSIF trigrams IS NOT NULL THEN
        EXECUTE format('CREATE INDEX catalog_item_search ON catalog_item USING gin (search_text %I.gin_trgm_ops)', trigrams);
    END IF;
    IF to_regclass('catalog_property_string') IS NULL THEN
        CREATE INDEX catalog_property_string ON catalog_property (workspace_id, kind, name, left(string_value, 255), owner_id) WHERE string_value IS NOT NULL;
    END IF;
    IF to_regclass('catalog_property_int') IS NULL THEN
        CREATE INDEX catalog_property_int ON catalog_property (workspace_id, kind, name, int_value, owner_id) WHERE int_value IS NOT NULL;
    END IF;
    IF to_regclass('catalog_property_double') IS NULL THEN
        CREATE INDEX catalog_property_double ON catalog_property (workspace_id, kind, name, double_value, owner_id) WHERE double_value IS NOT NULL;
    END IF;
END
$$;

-- The caller's search path must not change the meaning of its names.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION catalog_end_load() SET search_path = %I, pg_temp', current_schema());
END
$$;
