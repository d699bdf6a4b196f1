SELECT kind, actor, detail, at FROM otel_guard.incident_events
WHERE incident_id = %(incident_id)s::uuid
ORDER BY at, (detail ->> 'seq')::int NULLS FIRST
