-- The first message went out while Postgres was away: those channels need no other, and its time counts.
WITH told AS (
    UPDATE otel_guard.alert_outbox SET state = 'sent', sent_at = %(at)s::timestamptz
    WHERE incident_id = %(id)s::uuid AND kind = 'fired' AND state = 'pending' AND channel = ANY(%(channels)s::text[])
)
UPDATE otel_guard.incidents
SET first_delivered_at = least(first_delivered_at, greatest(%(at)s::timestamptz, impact_started_at))
WHERE id = %(id)s::uuid
