-- Incidents that fired in the time, when their rule's row was in Postgres, and whether a person did anything.
SELECT
    to_jsonb(i) AS incident,
    (
        SELECT (e.detail ->> 'ingested_at')::timestamptz
        FROM otel_guard.incident_events AS e
        WHERE e.incident_id = i.id AND e.kind = 'fired'
        ORDER BY e.at
        LIMIT 1
    ) AS ingested_at,
    i.acknowledged_by IS NOT NULL OR i.note IS NOT NULL OR EXISTS (
        SELECT FROM otel_guard.incident_events AS e
        WHERE
            e.incident_id = i.id
            AND (e.kind IN ('acknowledged', 'noted') OR (e.kind = 'resolved' AND e.actor IS NOT NULL))
    ) AS is_acted_on
FROM otel_guard.incidents AS i
WHERE i.fired_at >= %(since)s::timestamptz AND i.fired_at < %(until)s::timestamptz AND i.state <> 'pending'
ORDER BY array_position(ARRAY['low', 'medium', 'high', 'critical'], i.severity) DESC, i.fired_at
LIMIT %(most)s::int
