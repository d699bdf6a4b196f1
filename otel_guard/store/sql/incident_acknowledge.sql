-- firing -> acknowledged
UPDATE otel_guard.incidents AS i SET
    state = 'acknowledged',
    acknowledged_at = %(now)s::timestamptz,
    acknowledged_by = %(by)s
WHERE i.id = %(incident_id)s::uuid AND i.state = 'firing'
RETURNING to_jsonb(i) AS incident
