SELECT id::text AS id, matchers, ends_at, author, comment FROM otel_guard.silences
WHERE ends_at > coalesce(%(now)s::timestamptz, now())
ORDER BY ends_at
