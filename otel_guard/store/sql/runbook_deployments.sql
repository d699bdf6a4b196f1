SELECT service, environment, release, previous, actor, url, at FROM otel_guard.deployments
WHERE
    release IS NOT NULL
    AND at <= %(now)s::timestamptz
    AND (%(service)s::text IS NULL OR service IS NULL OR service = %(service)s)
    AND (%(environment)s::text IS NULL OR environment IS NULL OR environment = %(environment)s)
ORDER BY at DESC
LIMIT 3
