UPDATE otel_guard.alert_outbox SET
    state = 'dead',
    locked_until = NULL,
    last_status = coalesce(%(status)s::int, last_status),
    last_error = %(error)s
WHERE channel = %(channel)s AND state IN ('pending', 'sending')
