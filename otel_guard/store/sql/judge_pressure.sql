-- Of clients' connections, but for dumps and our own: how many, and the longest of each kind of waiting. Without pg_monitor the
-- state of other roles is not shown.
WITH clients AS (
    SELECT
        a.pid, a.state, a.query, a.usename, a.application_name, a.wait_event_type, a.xact_start, a.state_change,
        coalesce(%(now)s::timestamptz, clock_timestamp()) AS now,
        coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start) AS waits_since
    FROM pg_stat_activity AS a
    LEFT JOIN LATERAL (
        SELECT * FROM pg_locks AS w WHERE w.pid = a.pid AND NOT w.granted AND a.wait_event_type = 'Lock' LIMIT 1
    ) AS l ON true
    WHERE
        a.backend_type = 'client backend'
        AND a.pid <> pg_backend_pid()
        AND a.application_name NOT LIKE 'otel_guard%%'
        AND a.application_name NOT IN ('pg_dump', 'pg_dumpall', 'pg_basebackup')
), kinds AS (
    SELECT 'long_transaction' AS kind, c.*, extract(EPOCH FROM now - xact_start)::float8 AS seconds
    FROM clients AS c WHERE xact_start IS NOT NULL
    UNION ALL
    SELECT 'idle_in_transaction', c.*, extract(EPOCH FROM now - state_change)::float8
    FROM clients AS c WHERE state LIKE 'idle in transaction%%'
    UNION ALL
    SELECT 'blocked_query', c.*, extract(EPOCH FROM now - waits_since)::float8
    FROM clients AS c WHERE wait_event_type = 'Lock'
), longest AS (
    SELECT DISTINCT ON (kind) * FROM kinds ORDER BY kind, seconds DESC
)
SELECT
    kind, seconds AS value, query, usename::text AS usename, application_name, pid,
    (SELECT count(*) FROM kinds AS k WHERE k.kind = longest.kind)::int AS n,
    CASE WHEN kind = 'blocked_query' THEN pg_blocking_pids(pid)::text END AS blockers, current_database()::text AS database
FROM longest
UNION ALL
SELECT
    'connections', count(*)::float8 / current_setting('max_connections')::int, NULL, NULL, NULL, NULL, count(*)::int,
    current_setting('max_connections'), current_database()::text
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name NOT LIKE 'otel_guard%%'
