-- None: another courier decides for this channel right now.
SELECT channel, blocked_until, failures, held, coalesce(%(now)s::timestamptz, now()) AS now
FROM otel_guard.channel_state
WHERE channel = %(channel)s
FOR UPDATE SKIP LOCKED
