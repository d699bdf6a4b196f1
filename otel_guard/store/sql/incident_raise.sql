-- firing | acknowledged -> firing: what is worse ends an acknowledgement
UPDATE otel_guard.incidents AS i SET
    state = 'firing',
    severity = %(severity)s,
    acknowledged_at = NULL,
    acknowledged_by = NULL,
    last_true_at = greatest(i.last_true_at, %(now)s::timestamptz),
    message = %(message)s,
    value = %(value)s::float8,
    threshold = %(threshold)s::float8,
    queries = %(queries)s::jsonb,
    labels = i.labels || %(labels)s::jsonb
WHERE i.id = %(incident_id)s::uuid AND i.state = %(was)s AND i.severity = %(was_severity)s
RETURNING to_jsonb(i) AS incident
