-- pending -> firing
UPDATE otel_guard.incidents AS i SET
    state = 'firing',
    fired_at = %(now)s::timestamptz,
    last_true_at = greatest(i.last_true_at, %(now)s::timestamptz),
    severity = %(severity)s,
    message = %(message)s,
    value = %(value)s::float8,
    threshold = %(threshold)s::float8,
    queries = %(queries)s::jsonb,
    labels = i.labels || %(labels)s::jsonb,
    release = coalesce(i.release, %(release)s)
WHERE i.id = %(incident_id)s::uuid AND i.state = 'pending'
RETURNING to_jsonb(i) AS incident
