-- The newest that was no longer in the window, not further back than once more its length.
SELECT max(created_at) AS at
FROM otel_guard.system_metrics
WHERE
    type = ANY(%(types)s::text[])
    AND created_at > %(since)s::timestamptz - (%(until)s::timestamptz - %(since)s::timestamptz)
    AND created_at <= %(since)s
    AND (%(table_name)s::text IS NULL OR table_name = %(table_name)s)
    AND (%(system)s::text IS NULL OR system = %(system)s)
    AND (%(operation)s::text IS NULL OR operation = %(operation)s)
    AND (%(route)s::text IS NULL OR route = %(route)s)
    AND (%(service)s::text IS NULL OR service = %(service)s)
    AND (%(environment)s::text IS NULL OR environment = %(environment)s)
