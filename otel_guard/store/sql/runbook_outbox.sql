-- Messages that wait for their channel, or that no channel took.
SELECT
    c.channel, coalesce(c.blocked_until >= timestamptz '9999-01-01 00:00+00', false) AS is_dead, c.failures, c.last_ok_at,
    c.last_error_at, waiting.n AS waiting, waiting.last_error
FROM otel_guard.channel_state AS c
LEFT JOIN LATERAL (
    SELECT count(*) AS n, max(o.last_error) AS last_error
    FROM otel_guard.alert_outbox AS o
    WHERE o.channel = c.channel AND o.state IN ('pending', 'sending')
) AS waiting ON true
ORDER BY c.channel
LIMIT 10
