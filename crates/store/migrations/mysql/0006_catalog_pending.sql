-- Nothing to do: only PostgreSQL has such a list.
DO 0;
