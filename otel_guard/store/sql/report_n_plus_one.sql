-- The same query again and again within one request: how often that was found, and the most of them at once.
SELECT
    coalesce(operation, query_text, '(unknown)') AS query, route, count(*) AS n, max(value)::float8 AS highest,
    (array_agg(metadata -> 'place' ORDER BY created_at DESC) FILTER (WHERE metadata ? 'place'))[1] AS place
FROM otel_guard.system_metrics
WHERE type = 'n_plus_one' AND created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
GROUP BY 1, 2
ORDER BY max(value) * count(*) DESC
LIMIT %(most)s::int
