-- Messages of the last 10 min: rows that went out together are one.
SELECT
    count(DISTINCT coalesce(payload ->> 'sent_with', key)) FILTER (WHERE kind <> 'held') AS sent,
    min(sent_at) FILTER (WHERE kind <> 'held') + interval '10 min' AS frees_at,
    max(sent_at) AS last_sent_at,
    coalesce(bool_or(kind = 'held'), false) AS is_announced
FROM otel_guard.alert_outbox
WHERE
    channel = %(channel)s
    AND (
        (state = 'sent' AND sent_at > coalesce(%(now)s::timestamptz, now()) - interval '10 min')
        OR (state = 'sending' AND locked_until > coalesce(%(now)s::timestamptz, now()))
        OR (state IN ('pending', 'sending') AND kind = 'held')
    )
