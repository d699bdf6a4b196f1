-- Messages that wait for more than 5 min, though they are due or were refused; not those that are silenced or held on purpose.
SELECT count(*)::float8 AS n, min((o.payload ->> 'at')::timestamptz) AS first_at, array_agg(DISTINCT o.channel) AS channels
FROM otel_guard.alert_outbox AS o
LEFT JOIN otel_guard.incidents AS i ON i.id = o.incident_id
LEFT JOIN otel_guard.channel_state AS c ON c.channel = o.channel
WHERE
    o.state IN ('pending', 'sending')
    AND (o.payload ->> 'at')::timestamptz <= %(until)s::timestamptz - interval '5 min'
    AND (o.attempts > 0 OR o.next_attempt_at <= %(until)s::timestamptz - interval '5 min')
    AND coalesce(c.held, 0) = 0
    AND NOT EXISTS (
        SELECT FROM otel_guard.silences AS s
        WHERE
            s.ends_at > %(until)s::timestamptz
            AND i.labels || jsonb_strip_nulls(jsonb_build_object(
                'id', i.id::text, 'dedup_key', i.dedup_key, 'rule', i.rule, 'type', i.type, 'severity', i.severity,
                'context', i.context, 'service', i.service, 'environment', i.environment, 'release', i.release
            )) @> s.matchers
    )
HAVING count(*) > 0
