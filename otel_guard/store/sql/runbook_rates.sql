-- Errors and failed requests by service: the last 10 min, and the hour before these.
WITH requests AS (
    SELECT
        service, environment,
        sum(n) FILTER (WHERE is_now) AS n, sum(errors) FILTER (WHERE is_now) AS failed,
        sum(n) FILTER (WHERE NOT is_now) AS n_before, sum(errors) FILTER (WHERE NOT is_now) AS failed_before
    FROM (
        SELECT *, minute >= %(now)s::timestamptz - interval '10 min' AS is_now
        FROM otel_guard.metric_minutes
        WHERE
            name = 'http.server.request.duration'
            AND minute >= %(now)s::timestamptz - interval '70 min' AND minute <= %(now)s::timestamptz
    ) AS m
    GROUP BY service, environment
), errors AS (
    SELECT
        coalesce(service, '') AS service, coalesce(environment, '') AS environment,
        coalesce(sum(repeat_count) FILTER (WHERE created_at >= %(now)s::timestamptz - interval '10 min'), 0) AS errors,
        coalesce(sum(repeat_count) FILTER (WHERE created_at < %(now)s::timestamptz - interval '10 min'), 0) AS errors_before
    FROM otel_guard.system_errors
    WHERE created_at >= %(now)s::timestamptz - interval '70 min' AND created_at <= %(now)s::timestamptz
    GROUP BY 1, 2
)
SELECT
    service, environment, coalesce(errors, 0)::bigint AS errors, coalesce(errors_before, 0)::bigint AS errors_before,
    failed::float8 / nullif(n, 0)::float8 AS rate, failed_before::float8 / nullif(n_before, 0)::float8 AS rate_before
FROM errors
FULL JOIN requests USING (service, environment)
ORDER BY errors DESC NULLS LAST
LIMIT 10
