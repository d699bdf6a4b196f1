SELECT id::text AS id, matchers, ends_at, author, comment FROM otel_guard.silences
WHERE right(replace(id::text, '-', ''), length(%(ending)s::text)) = %(ending)s::text AND ends_at > now()
ORDER BY ends_at
LIMIT 10
