-- Errors of a window longer than 48 h: exact to the hour.
SELECT
    coalesce(h.service, '') AS service, coalesce(h.environment, '') AS environment, sum(h.n)::float8 AS n,
    min(h.hour) AS first_at
FROM otel_guard.error_hours AS h
LEFT JOIN otel_guard.error_groups AS g USING (fingerprint)
WHERE
    h.hour > %(since)s::timestamptz - interval '1 hour'
    AND h.hour <= %(until)s::timestamptz
    AND (%(context)s::text IS NULL OR g.context = %(context)s)
    AND (%(severity)s::text IS NULL OR g.severity = %(severity)s)
    AND (%(error_type)s::text IS NULL OR g.error_type = %(error_type)s)
    AND (%(fingerprint)s::text IS NULL OR h.fingerprint = %(fingerprint)s)
    AND (%(service)s::text IS NULL OR h.service = %(service)s)
    AND (%(environment)s::text IS NULL OR h.environment = %(environment)s)
GROUP BY 1, 2
