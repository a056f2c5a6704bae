-- Searches of these databases have no pending list; the number is taken on PostgreSQL.
SELECT 1;
