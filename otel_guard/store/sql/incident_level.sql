UPDATE otel_guard.incidents AS i SET escalation_level = %(level)s::int
WHERE i.id = %(incident_id)s::uuid AND i.state = %(was)s AND i.escalation_level = %(was_level)s
RETURNING to_jsonb(i) AS incident
