-- The indexes that cost a load most are made at the end of the first one that writes something: kept up to date row by row
-- they took half of its time. Where there are rows already, they stay as they are.
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

-- The end of every load that wrote something. Only the owner of the tables may do this, so the function acts for it: the
-- program may be somebody else once the schema is there. Readers are not held up.
CREATE OR REPLACE FUNCTION catalog_end_load() RETURNS VOID LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    trigrams NAME;
BEGIN
    SELECT nspname INTO trigrams FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm';
    IF to_regclass('catalog_item_search') IS NOT NULL THEN
        -- Searches find an empty pending list.
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

-- Whoever calls it does not decide what its names mean.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION catalog_end_load() SET search_path = %I, pg_temp', current_schema());
END
$$;
