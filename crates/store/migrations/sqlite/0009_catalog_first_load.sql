-- On these databases the first load keeps all indexes up to date; the number is taken on PostgreSQL.
SELECT 1;
