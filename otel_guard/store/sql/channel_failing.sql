-- Dead, or a message that was tried has waited for 10 min, or was given up since the last yes.
SELECT
    c.channel, coalesce(c.blocked_until >= timestamptz '9999-01-01 00:00+00', false) AS is_dead, c.failures,
    c.last_ok_at, c.last_error_at, tried.since, tried.last_error
FROM otel_guard.channel_state AS c
LEFT JOIN LATERAL (
    SELECT
        min((o.payload ->> 'at')::timestamptz) AS since,
        (array_agg(o.last_error) FILTER (WHERE o.last_error IS NOT NULL))[1] AS last_error
    FROM otel_guard.alert_outbox AS o
    WHERE
        o.channel = c.channel
        AND o.attempts > 0
        AND (
            o.state IN ('pending', 'sending')
            OR (o.state = 'dead' AND (o.payload ->> 'at')::timestamptz > coalesce(c.last_ok_at, '-infinity'))
        )
) AS tried ON true
WHERE
    c.blocked_until >= timestamptz '9999-01-01 00:00+00'
    OR (c.failures > 0 AND tried.since <= coalesce(%(now)s::timestamptz, now()) - interval '10 min')
ORDER BY c.channel
