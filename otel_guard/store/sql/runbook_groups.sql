-- Kinds of errors that began, or came back, in the last hours.
SELECT fingerprint, title, severity, first_seen_at, regressed_at, first_release, occurrences AS n
FROM otel_guard.error_groups
WHERE
    state <> 'muted'
    AND greatest(first_seen_at, regressed_at) >= %(now)s::timestamptz - %(hours)s::float8 * interval '1 hour'
ORDER BY array_position(ARRAY['low', 'medium', 'high', 'critical'], severity) DESC, occurrences DESC
LIMIT 5
