SELECT tables.relname::text AS name, wanted.lacks
FROM pg_class AS tables
JOIN pg_namespace AS schema ON schema.oid = tables.relnamespace AND schema.nspname = 'otel_guard'
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted (lacks)
WHERE
    tables.relkind IN ('r', 'p')
    AND (tables.relname <> 'schema_migrations' OR wanted.lacks = 'SELECT')
    AND NOT has_table_privilege(tables.oid, wanted.lacks)
ORDER BY tables.relname, wanted.lacks
