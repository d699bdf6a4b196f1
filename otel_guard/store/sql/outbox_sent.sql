-- A yes counts, also when it comes after the lock has run out.
UPDATE otel_guard.alert_outbox SET
    state = 'sent',
    sent_at = coalesce(%(now)s::timestamptz, now()),
    locked_until = NULL,
    last_status = %(status)s::int,
    last_error = NULL
WHERE key = ANY(%(keys)s::text[]) AND state <> 'sent'
