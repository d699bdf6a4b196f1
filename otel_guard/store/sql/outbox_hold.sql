-- "N held", in the name of the newest message that is.
INSERT INTO otel_guard.alert_outbox (key, incident_id, channel, kind, payload, next_attempt_at)
SELECT
    concat_ws(':', o.incident_id, 'held', (extract(epoch FROM %(now)s::timestamptz) / 60)::int, o.channel), NULL, o.channel,
    'held',
    o.payload || jsonb_build_object('event', 'held', 'held', %(held)s::int, 'at', %(now)s::timestamptz),
    %(now)s::timestamptz
FROM otel_guard.alert_outbox AS o
WHERE o.key = %(key)s
ON CONFLICT (key) DO NOTHING
