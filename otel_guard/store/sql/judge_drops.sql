SELECT reason, sum(n)::float8 AS n, min(first_at) AS first_at, max(last_at) AS last_at
FROM otel_guard.record_drops
WHERE last_at > %(recent)s::timestamptz AND last_at <= %(until)s::timestamptz + interval '5 minutes'
GROUP BY reason
ORDER BY n DESC
