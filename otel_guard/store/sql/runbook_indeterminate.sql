-- Payments of which nobody here knows whether they were made: no answer, or an answer that does not tell.
SELECT id, created_at, system, operation, error_class, user_id, metadata -> 'attributes' AS attributes
FROM otel_guard.system_errors
WHERE
    context = 'payment'
    AND error_class IN ('timeout', 'connection', 'server')
    AND created_at >= %(now)s::timestamptz - interval '24 hours' AND created_at <= %(now)s::timestamptz
ORDER BY created_at DESC
LIMIT 10
