-- Deployments, the newest first, with what changed: errors and requests of the hour before and of the hour after (as far as
-- that has gone), and the kinds of errors that were first seen in it.
WITH chosen AS (
    SELECT id, service, environment, release, previous, actor, url, at, at + interval '60 min' AS hour_after
    FROM otel_guard.deployments
    WHERE
        at >= coalesce(%(since)s::timestamptz, '-infinity') AND at < coalesce(%(until)s::timestamptz, 'infinity')
    ORDER BY at DESC
    LIMIT %(most)s::int
)
SELECT
    d.id, d.service, d.environment, d.release, d.previous, d.actor, d.url, d.at,
    before.n AS errors_before, after.n AS errors_after, requests.before_n AS requests_before,
    requests.after_n AS requests_after,
    CASE WHEN requests.before_n > 0 THEN requests.before_failed::float8 / requests.before_n END AS rate_before,
    CASE WHEN requests.after_n > 0 THEN requests.after_failed::float8 / requests.after_n END AS rate_after,
    coalesce(fresh.n, 0) AS new_groups, coalesce(fresh.titles, '{}') AS new_titles
FROM chosen AS d
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.repeat_count), 0)::bigint AS n
    FROM otel_guard.system_errors AS e
    WHERE
        e.created_at >= d.at - interval '60 min' AND e.created_at < d.at
        AND (d.service IS NULL OR e.service = d.service) AND (d.environment IS NULL OR e.environment = d.environment)
) AS before
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.repeat_count), 0)::bigint AS n
    FROM otel_guard.system_errors AS e
    WHERE
        e.created_at >= d.at AND e.created_at < d.hour_after
        AND (d.service IS NULL OR e.service = d.service) AND (d.environment IS NULL OR e.environment = d.environment)
) AS after
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(m.n) FILTER (WHERE m.minute < d.at), 0)::bigint AS before_n,
        coalesce(sum(m.errors) FILTER (WHERE m.minute < d.at), 0)::bigint AS before_failed,
        coalesce(sum(m.n) FILTER (WHERE m.minute >= d.at), 0)::bigint AS after_n,
        coalesce(sum(m.errors) FILTER (WHERE m.minute >= d.at), 0)::bigint AS after_failed
    FROM otel_guard.metric_minutes AS m
    WHERE
        m.name = 'http.server.request.duration'
        AND m.minute >= d.at - interval '60 min' AND m.minute < d.hour_after
        AND (d.service IS NULL OR m.service = d.service) AND (d.environment IS NULL OR m.environment = d.environment)
) AS requests
LEFT JOIN LATERAL (
    SELECT count(*) AS n, (array_agg(g.title ORDER BY g.first_seen_at))[1:3] AS titles
    FROM otel_guard.error_groups AS g
    WHERE
        g.first_seen_at >= d.at AND g.first_seen_at <= d.hour_after
        AND EXISTS (
            SELECT FROM otel_guard.system_errors AS e
            WHERE
                e.fingerprint = g.fingerprint AND e.created_at >= d.at - interval '1 s' AND e.created_at <= d.hour_after
                AND (d.service IS NULL OR e.service = d.service)
                AND (d.environment IS NULL OR e.environment = d.environment)
        )
) AS fresh ON true
ORDER BY d.at DESC
