-- How many messages of each channel wait or were given up, since when, and what it said last.
SELECT
    channel, count(*) FILTER (WHERE state = ANY(ARRAY['pending', 'sending'])) AS waiting,
    count(*) FILTER (WHERE state = 'dead') AS dead,
    min((payload ->> 'at')::timestamptz) FILTER (WHERE state = ANY(ARRAY['pending', 'sending'])) AS since,
    (array_agg(concat_ws(' ', last_status, last_error) ORDER BY next_attempt_at DESC)
        FILTER (WHERE last_error IS NOT NULL OR last_status IS NOT NULL))[1] AS last_error
FROM otel_guard.alert_outbox
WHERE
    state = ANY(ARRAY['pending', 'sending'])
    OR (state = 'dead' AND next_attempt_at > %(since)s::timestamptz)
GROUP BY channel
ORDER BY channel
