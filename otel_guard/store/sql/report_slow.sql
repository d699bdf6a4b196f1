-- The slow queries that took the most time.
SELECT
    coalesce(query_text, operation, '(unknown)') AS query, table_name, count(*) AS n,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms,
    max(duration_ms) AS max_ms, sum(duration_ms) AS total_ms,
    (array_agg(metadata -> 'place' ORDER BY created_at DESC) FILTER (WHERE metadata ? 'place'))[1] AS place
FROM otel_guard.system_metrics
WHERE type = 'database_query' AND created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
GROUP BY 1, 2
ORDER BY sum(duration_ms) DESC NULLS LAST
LIMIT %(most)s::int
