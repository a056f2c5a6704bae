-- What `q` finds, by index. The extension comes with PostgreSQL and may be created by the owner of the database; where it is
-- not installed or may not be created, `q` reads the search texts of all items: the answers are the same.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    -- Without a pending list: searches would have to read through it after a load.
    CREATE INDEX IF NOT EXISTS catalog_item_search ON catalog_item USING gin (search_text gin_trgm_ops) WITH (fastupdate = off);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'catalog searches without an index: %', SQLERRM;
END
$$;

-- Which values are how frequent under which name: taken by themselves, names and values would make the planner expect a
-- hundred rows where there are twenty thousand. PostgreSQL 13 knows no statistics on expressions and plans without.
DO $$
BEGIN
    EXECUTE 'CREATE STATISTICS IF NOT EXISTS catalog_property_values (mcv) ON kind, name, left(string_value, 255) FROM catalog_property';
    EXECUTE 'ALTER STATISTICS catalog_property_values SET STATISTICS 1000';
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'catalog filters are planned without statistics of values: %', SQLERRM;
END
$$;
