SELECT instance, service, environment, detail, at
FROM otel_guard.heartbeats
WHERE
    kind = 'process'
    AND at > now() - make_interval(secs => %(live_s)s)
    AND detail ? 'window'
    AND (%(service)s::text IS NULL OR service = %(service)s)
    AND (%(environment)s::text IS NULL OR environment = %(environment)s)
ORDER BY at
LIMIT 1000
