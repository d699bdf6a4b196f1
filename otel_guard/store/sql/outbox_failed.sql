-- Back into the queue; after 24 h it is dead.
UPDATE otel_guard.alert_outbox SET
    state = CASE
        WHEN (payload ->> 'at')::timestamptz <= coalesce(%(now)s::timestamptz, now()) - interval '24 h' THEN 'dead'
        ELSE 'pending'
    END,
    locked_until = NULL,
    last_status = %(status)s::int,
    last_error = %(error)s
WHERE key = ANY(%(keys)s::text[]) AND state = 'sending' AND locked_until = %(locked_until)s::timestamptz
