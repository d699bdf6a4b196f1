SELECT reason, kind, sum(n)::bigint AS n
FROM otel_guard.record_drops
WHERE last_at >= %(since)s::timestamptz AND last_at < %(until)s::timestamptz
GROUP BY reason, kind
ORDER BY n DESC, reason, kind
LIMIT 50
