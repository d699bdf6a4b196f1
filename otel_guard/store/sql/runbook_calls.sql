-- Calls of one metric by provider: the last hour, and the day before it.
SELECT
    system,
    coalesce(sum(n) FILTER (WHERE is_now), 0)::bigint AS n, coalesce(sum(errors) FILTER (WHERE is_now), 0)::bigint AS errors,
    (sum(sum) FILTER (WHERE is_now) / nullif(sum(n) FILTER (WHERE is_now), 0)::float8) AS mean,
    max(max) FILTER (WHERE is_now) AS highest,
    coalesce(sum(n) FILTER (WHERE NOT is_now), 0)::bigint AS n_before,
    coalesce(sum(errors) FILTER (WHERE NOT is_now), 0)::bigint AS errors_before,
    max(minute) AS last_at
FROM (
    SELECT *, minute >= %(now)s::timestamptz - interval '60 min' AS is_now
    FROM otel_guard.metric_minutes
    WHERE
        name = %(name)s::text AND n > 0
        AND minute >= %(now)s::timestamptz - interval '25 hours' AND minute <= %(now)s::timestamptz
) AS m
GROUP BY system
ORDER BY n DESC, n_before DESC
LIMIT 10
