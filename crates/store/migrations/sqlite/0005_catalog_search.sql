-- A trigram index for `q`. It finds candidates; the comparison with `search_text` decides.
--
-- The strings stay in `catalog_item`; the index stores only which rows contain a trigram.
CREATE VIRTUAL TABLE IF NOT EXISTS catalog_search USING fts5(
    search_text,
    content = '',
    contentless_delete = 1,
    detail = none,
    tokenize = 'trigram case_sensitive 1'
);

INSERT INTO catalog_search (rowid, search_text) SELECT id, search_text FROM catalog_item WHERE search_text <> '';

CREATE TRIGGER IF NOT EXISTS catalog_item_search_insert AFTER INSERT ON catalog_item WHEN new.search_text <> ''
BEGIN
    INSERT INTO catalog_search (rowid, search_text) VALUES (new.id, new.search_text);
END;

CREATE TRIGGER IF NOT EXISTS catalog_item_search_delete AFTER DELETE ON catalog_item WHEN old.search_text <> ''
BEGIN
    DELETE FROM catalog_search WHERE rowid = old.id;
END;
