UPDATE otel_guard.incidents AS i SET note = concat_ws(E'\n', i.note, %(text)s::text)
WHERE i.id = %(incident_id)s::uuid AND i.state <> 'pending'
RETURNING to_jsonb(i) AS incident
