-- Failures of one context by provider and class in the last hour.
SELECT
    coalesce(system, '') AS system, coalesce(error_class, 'other') AS error_class, sum(repeat_count)::bigint AS n,
    max(created_at) AS last_at, (array_agg(left(message, 200) ORDER BY created_at DESC))[1] AS message
FROM otel_guard.system_errors
WHERE
    context = %(context)s::text
    AND created_at >= %(now)s::timestamptz - interval '60 min' AND created_at <= %(now)s::timestamptz
GROUP BY 1, 2
ORDER BY n DESC
LIMIT 10
