-- Ids are taken by their end: their beginning is the time.
SELECT * FROM otel_guard.system_errors WHERE right(id::text, length(%(given)s)) = %(given)s
ORDER BY created_at DESC
LIMIT 1
