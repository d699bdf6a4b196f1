-- The critical kind that has been open for longest, as of now.
SELECT fingerprint, title, error_type, severity, context, state, first_seen_at, last_seen_at, occurrences AS n
FROM otel_guard.error_groups
WHERE state IN ('open', 'acknowledged') AND severity = 'critical' AND first_seen_at < %(until)s::timestamptz
ORDER BY first_seen_at
LIMIT 1
