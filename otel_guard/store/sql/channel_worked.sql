-- A pause that its server asked for outlasts a yes to an earlier message; death does not.
INSERT INTO otel_guard.channel_state AS c (channel, last_ok_at)
VALUES (%(channel)s, coalesce(%(now)s::timestamptz, now()))
ON CONFLICT (channel) DO UPDATE SET
    failures = 0,
    last_ok_at = excluded.last_ok_at,
    blocked_until = CASE WHEN c.blocked_until < timestamptz '9999-01-01 00:00+00' THEN c.blocked_until END
