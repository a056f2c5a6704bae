-- Nothing to do: only PostgreSQL has such a list.
SELECT 1;
