-- Statements that one request asked again and again, the longest loops first.
SELECT
    query_text, table_name, metadata -> 'place' AS place, count(*) AS n, max(value)::float8 AS most, max(created_at) AS last_at
FROM otel_guard.system_metrics
WHERE
    type = 'n_plus_one'
    AND created_at > %(since)s::timestamptz
    AND (%(service)s::text IS NULL OR service = %(service)s)
    AND (%(environment)s::text IS NULL OR environment = %(environment)s)
GROUP BY query_text, table_name, metadata -> 'place'
ORDER BY most DESC, n DESC
LIMIT 5
