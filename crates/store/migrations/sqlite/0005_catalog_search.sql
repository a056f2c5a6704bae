-- What `q` finds, by index: the groups of three characters of each search text. It narrows down; whether a text really
-- contains another one is decided on `search_text`.
--
-- The texts themselves stay in `catalog_item`, and nothing but "which rows have this group" is kept.
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
