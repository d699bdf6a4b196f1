UPDATE otel_guard.alert_outbox SET
    next_attempt_at = greatest(
        next_attempt_at, coalesce(%(now)s::timestamptz, now()) + %(wait_s)s::float8 * interval '1 s'
    )
WHERE channel = %(channel)s AND state = 'pending'
