-- One row an incident: until when it was neither bad nor good.
WITH moved AS (
    UPDATE otel_guard.incident_events SET at = %(now)s::timestamptz
    WHERE incident_id = %(incident_id)s::uuid AND kind = 'still'
    RETURNING id
)
INSERT INTO otel_guard.incident_events (incident_id, kind, at)
SELECT %(incident_id)s::uuid, 'still', %(now)s::timestamptz
WHERE NOT EXISTS (SELECT FROM moved)
