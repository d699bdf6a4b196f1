SELECT
    coalesce(%(now)s::timestamptz, now()) AS now,
    last.at,
    last.period_s,
    last.detail
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (
    SELECT at, period_s, detail
    FROM otel_guard.heartbeats
    WHERE kind = 'monitor'
    ORDER BY at DESC
    LIMIT 1
) AS last ON true
