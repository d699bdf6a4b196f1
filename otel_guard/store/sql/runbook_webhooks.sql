-- When each kind of webhook came last, and how many of it came in the last day.
SELECT
    system, operation, max(minute) AS last_at,
    coalesce(sum(n) FILTER (WHERE minute >= %(now)s::timestamptz - interval '24 hours'), 0)::bigint AS n,
    coalesce(sum(errors) FILTER (WHERE minute >= %(now)s::timestamptz - interval '24 hours'), 0)::bigint AS errors
FROM otel_guard.metric_minutes
WHERE
    name = 'payment.webhook.process.duration' AND n > 0
    AND minute >= %(now)s::timestamptz - interval '14 days' AND minute <= %(now)s::timestamptz
GROUP BY system, operation
ORDER BY last_at DESC
LIMIT 10
