SELECT
    current_setting('server_version') AS server_version,
    current_user::text AS role,
    pg_has_role(current_user, 'pg_monitor', 'USAGE') AS sees_others,
    schema.oid IS NOT NULL AS has_schema,
    coalesce(has_schema_privilege(schema.oid, 'USAGE'), false) AS may_use
FROM (SELECT 1) AS one
LEFT JOIN pg_namespace AS schema ON schema.nspname = 'otel_guard'
