-- What is known of each webhook's time from its event to its end here, in seconds.
SELECT service, environment, system, minute, n, sum, max AS highest, minute > %(recent)s::timestamptz - interval '1 minute' AS is_recent
FROM otel_guard.metric_minutes
WHERE
    name = 'payment.webhook.lag'
    AND minute > %(since)s::timestamptz - interval '1 minute'
    AND minute <= %(until)s::timestamptz
    AND n > 0
ORDER BY minute
LIMIT 20000
