-- A trigram index for `q`. The extension comes with PostgreSQL, and the owner of the database may create it. If it is not
-- installed or may not be created, `q` reads the search strings of all items, with the same results.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    -- Without a pending list, which searches would have to read after a load.
    CREATE INDEX IF NOT EXISTS catalog_item_search ON catalog_item USING gin (search_text gin_trgm_ops) WITH (fastupdate = off);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'catalog searches without an index: %', SQLERRM;
END
$$;

-- Multi-column statistics of names and values. Without them the planner assumes independence and expects a hundred rows
-- where there are twenty thousand. PostgreSQL 13 has no statistics on expressions and plans without them.
DO $$
BEGIN
    EXECUTE 'CREATE STATISTICS IF NOT EXISTS catalog_property_values (mcv) ON kind, name, left(string_value, 255) FROM catalog_property';
    EXECUTE 'ALTER STATISTICS catalog_property_values SET STATISTICS 1000';
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'catalog filters are planned without statistics of values: %', SQLERRM;
END
$$;
