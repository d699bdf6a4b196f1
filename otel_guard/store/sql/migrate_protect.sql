-- Run at the end of each migration: only the owner passes, on tables of today and of tomorrow.
DO $$
DECLARE
    who text;
    relation record;
BEGIN
    FOR who IN SELECT 'PUBLIC' UNION ALL SELECT quote_ident(rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated')
    LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA otel_guard FROM %s', who);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA otel_guard FROM %s', who);
    END LOOP;
    FOR relation IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'otel_guard'::regnamespace AND relkind = 'r' AND NOT relrowsecurity
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation.name);
    END LOOP;
END
$$
