DROP TABLE live_sessions, live_series;
DO $$
BEGIN
    DROP EXTENSION btree_gist;
EXCEPTION WHEN dependent_objects_still_exist THEN
    NULL; -- Another schema of this database uses it.
END
$$;
