-- firing | acknowledged -> resolved, as of the last bad sample; what no rule watches: as of now
UPDATE otel_guard.incidents AS i SET
    state = 'resolved',
    resolved_at = CASE WHEN i.rule IS NULL THEN %(now)s::timestamptz ELSE coalesce(i.last_true_at, %(now)s::timestamptz) END,
    resolution = %(resolution)s
WHERE i.id = %(incident_id)s::uuid AND i.state = %(was)s
RETURNING to_jsonb(i) AS incident
