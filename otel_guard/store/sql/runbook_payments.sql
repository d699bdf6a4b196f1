-- Failed payment calls by class; the classes that are the provider's or ours before declines and refusals.
SELECT
    coalesce(error_class, 'unknown') AS error_class, coalesce(system, '') AS system, coalesce(operation, '') AS operation,
    sum(repeat_count)::bigint AS n, max(created_at) AS last_at
FROM otel_guard.system_errors
WHERE
    context = 'payment'
    AND created_at > %(since)s::timestamptz
    AND (%(service)s::text IS NULL OR service = %(service)s)
    AND (%(environment)s::text IS NULL OR environment = %(environment)s)
GROUP BY 1, 2, 3
ORDER BY coalesce(error_class, 'unknown') IN ('declined', 'rejected', 'cancelled'), n DESC, last_at DESC
LIMIT 10
