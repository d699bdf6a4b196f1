-- Calls that may have charged somebody: what has a key to ask the provider with, newest first.
SELECT
    created_at, error_class, system, operation, user_id, metadata #>> ARRAY['attributes', %(key)s::text] AS key,
    metadata #>> ARRAY['attributes', %(request)s::text] AS request, id::text AS id, count(*) OVER () AS total
FROM otel_guard.system_errors
WHERE
    context = 'payment'
    AND created_at > %(since)s::timestamptz
    AND error_class = ANY(ARRAY['timeout', 'connection', 'server'])
    AND metadata #>> ARRAY['attributes', %(key)s::text] IS NOT NULL
    AND (%(service)s::text IS NULL OR service = %(service)s)
    AND (%(environment)s::text IS NULL OR environment = %(environment)s)
ORDER BY created_at DESC
LIMIT 10
