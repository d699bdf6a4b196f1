-- pending -> gone: nobody ever heard of it
DELETE FROM otel_guard.incidents AS i WHERE i.id = %(incident_id)s::uuid AND i.state = 'pending'
RETURNING to_jsonb(i) AS incident
