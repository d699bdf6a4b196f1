-- The first characters of an id are the time: it is named by its last.
SELECT to_jsonb(i) AS incident FROM otel_guard.incidents AS i
WHERE right(replace(i.id::text, '-', ''), length(%(ending)s::text)) = %(ending)s::text AND i.state <> 'pending'
ORDER BY i.fired_at DESC NULLS LAST
LIMIT 10
