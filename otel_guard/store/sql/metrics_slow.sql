-- Slow queries by table and operation, in seconds.
SELECT
    coalesce(system, '') AS system, coalesce(operation, table_name, '') AS operation, count(*) AS n,
    avg(duration_ms)::float8 / 1000 AS avg,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) / 1000 AS p95,
    max(duration_ms)::float8 / 1000 AS max
FROM otel_guard.system_metrics
WHERE
    type = 'database_query'
    AND created_at >= coalesce(%(now)s::timestamptz, now()) - %(since_s)s::float8 * interval '1 second'
GROUP BY 1, 2
ORDER BY n DESC
LIMIT %(most)s::int
