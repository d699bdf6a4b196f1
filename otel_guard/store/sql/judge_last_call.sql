-- The end of the newest minute with a call that lies before the window, not further back than once more its length.
SELECT max(minute) + interval '1 minute' AS at
FROM otel_guard.metric_minutes
WHERE
    minute > %(since)s::timestamptz - (%(until)s::timestamptz - %(since)s::timestamptz)
    AND minute <= %(since)s - interval '1 minute'
    AND n > 0
    AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s))
    AND (%(names)s::text[] IS NOT NULL OR name <> 'payment.webhook.lag')
    AND (%(context)s::text IS NULL OR context = %(context)s)
    AND (%(system)s::text IS NULL OR system = %(system)s)
    AND (%(operation)s::text IS NULL OR operation = %(operation)s)
    AND (%(route)s::text IS NULL OR route = %(route)s)
    AND (%(service)s::text IS NULL OR service = %(service)s)
    AND (%(environment)s::text IS NULL OR environment = %(environment)s)
