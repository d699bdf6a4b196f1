-- What a channel is still to be told, oldest first; what is silenced waits unseen.
SELECT
    o.key, o.incident_id::text AS incident_id, o.kind, o.payload, o.next_attempt_at, told.kind AS told,
    o.state = 'sending' AND o.locked_until > coalesce(%(now)s::timestamptz, now()) AS is_in_flight
FROM otel_guard.alert_outbox AS o
LEFT JOIN otel_guard.incidents AS i ON i.id = o.incident_id
LEFT JOIN LATERAL (
    SELECT t.kind FROM otel_guard.alert_outbox AS t
    WHERE t.incident_id = o.incident_id AND t.channel = o.channel AND t.state = 'sent'
    ORDER BY t.sent_at DESC, split_part(t.key, ':', 3)::int DESC
    LIMIT 1
) AS told ON true
WHERE
    o.channel = %(channel)s
    AND o.state IN ('pending', 'sending')
    AND (
        (o.state = 'sending' AND o.locked_until > coalesce(%(now)s::timestamptz, now()))
        OR NOT EXISTS (
            SELECT FROM otel_guard.silences AS s
            WHERE
                s.ends_at > coalesce(%(now)s::timestamptz, now())
                AND i.labels || jsonb_strip_nulls(jsonb_build_object(
                    'id', i.id::text, 'dedup_key', i.dedup_key, 'rule', i.rule, 'type', i.type, 'severity', i.severity,
                    'context', i.context, 'service', i.service, 'environment', i.environment, 'release', i.release
                )) @> s.matchers
        )
    )
ORDER BY (o.payload ->> 'at')::timestamptz, split_part(o.key, ':', 3)::int, o.key
LIMIT 200
