-- Deployments of that time, each with what came within an hour of it.
SELECT
    d.*,
    (
        SELECT count(*)
        FROM otel_guard.error_groups AS g
        WHERE
            g.first_seen_at >= d.at AND g.first_seen_at <= d.at + interval '60 min'
            AND EXISTS (
                SELECT FROM otel_guard.error_hours AS h
                WHERE
                    h.fingerprint = g.fingerprint
                    AND h.hour = date_trunc('hour', g.first_seen_at, 'UTC')
                    AND (d.service IS NULL OR h.service = d.service)
                    AND (d.environment IS NULL OR h.environment = d.environment)
            )
    ) AS new_groups,
    calls.failed_before::float8 / nullif(calls.before, 0) AS rate_before,
    calls.failed_after::float8 / nullif(calls.after, 0) AS rate_after
FROM otel_guard.deployments AS d
LEFT JOIN LATERAL (
    SELECT
        sum(m.n) FILTER (WHERE m.minute < date_trunc('minute', d.at)) AS before,
        sum(m.errors) FILTER (WHERE m.minute < date_trunc('minute', d.at)) AS failed_before,
        sum(m.n) FILTER (WHERE m.minute >= date_trunc('minute', d.at)) AS after,
        sum(m.errors) FILTER (WHERE m.minute >= date_trunc('minute', d.at)) AS failed_after
    FROM otel_guard.metric_minutes AS m
    WHERE
        m.name = %(name)s
        AND m.minute >= date_trunc('minute', d.at) - interval '60 min' AND m.minute < d.at + interval '60 min'
        AND (d.service IS NULL OR m.service = d.service)
        AND (d.environment IS NULL OR m.environment = d.environment)
) AS calls ON true
WHERE d.at >= %(since)s::timestamptz AND d.at < %(until)s::timestamptz
ORDER BY d.at DESC
LIMIT %(most)s
