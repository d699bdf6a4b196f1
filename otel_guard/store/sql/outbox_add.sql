-- A row a channel; `key` is incident:kind:seq:channel.
INSERT INTO otel_guard.alert_outbox (key, incident_id, channel, kind, payload, next_attempt_at)
SELECT
    concat_ws(':', %(key)s::text, channel), %(incident_id)s::uuid, channel, %(kind)s, %(payload)s::jsonb,
    %(now)s::timestamptz
FROM unnest(%(channels)s::text[]) AS channel
ON CONFLICT (key) DO NOTHING
RETURNING key
