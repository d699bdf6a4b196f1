-- What the channels were sent, and what no channel took.
SELECT channel, count(*) FILTER (WHERE state = 'sent') AS sent, count(*) FILTER (WHERE state = 'dead') AS dead
FROM otel_guard.alert_outbox
WHERE
    (state = 'sent' AND sent_at >= %(since)s::timestamptz AND sent_at < %(until)s::timestamptz)
    OR (
        state = 'dead'
        AND (payload ->> 'at')::timestamptz >= %(since)s::timestamptz
        AND (payload ->> 'at')::timestamptz < %(until)s::timestamptz
    )
GROUP BY channel
ORDER BY channel
