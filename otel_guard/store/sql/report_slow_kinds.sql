-- Slow calls and N+1 findings of a week by type.
SELECT type, count(*) AS n, max(value)::float8 AS highest
FROM otel_guard.system_metrics
WHERE created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
GROUP BY type
ORDER BY n DESC
