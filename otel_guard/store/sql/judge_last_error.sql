-- The newest that was no longer in the window, not further back than once more its length.
SELECT max(created_at) AS at
FROM otel_guard.system_errors
WHERE
    created_at > %(since)s::timestamptz - (%(until)s::timestamptz - %(since)s::timestamptz)
    AND created_at <= %(since)s
    AND (%(context)s::text IS NULL OR context = %(context)s)
    AND (%(system)s::text IS NULL OR system = %(system)s)
    AND (%(operation)s::text IS NULL OR operation = %(operation)s)
    AND (%(route)s::text IS NULL OR route = %(route)s)
    AND (%(service)s::text IS NULL OR service = %(service)s)
    AND (%(environment)s::text IS NULL OR environment = %(environment)s)
    AND (%(severity)s::text IS NULL OR severity = %(severity)s)
    AND (%(error_type)s::text IS NULL OR error_type = %(error_type)s)
    AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
    AND (%(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s)
