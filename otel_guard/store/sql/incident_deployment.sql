-- The newest deployment of the hour before.
SELECT release, at FROM otel_guard.deployments
WHERE
    (service IS NULL OR service = %(service)s::text)
    AND (environment IS NULL OR environment = %(environment)s::text)
    AND at <= %(before)s::timestamptz
    AND at > %(before)s::timestamptz - interval '60 min'
    AND release IS NOT NULL
ORDER BY at DESC
LIMIT 1
