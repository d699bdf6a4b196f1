SELECT
    query_text, table_name, count(*) AS n,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms,
    max(duration_ms) AS max_ms,
    (array_agg(metadata -> 'place' ORDER BY created_at DESC))[1] AS place,
    type, system, operation
FROM otel_guard.system_metrics
WHERE type <> 'n_plus_one' AND created_at >= now() - %(since_s)s * interval '1 second'
GROUP BY query_text, table_name, type, system, operation
ORDER BY sum(duration_ms) DESC
LIMIT %(most)s
