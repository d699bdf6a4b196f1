SELECT key, channel, kind, state, attempts, next_attempt_at, sent_at, last_status, last_error
FROM otel_guard.alert_outbox
WHERE incident_id = %(incident_id)s::uuid
ORDER BY (payload ->> 'at')::timestamptz, split_part(key, ':', 3), channel
LIMIT 200
