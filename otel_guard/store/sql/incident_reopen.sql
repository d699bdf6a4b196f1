-- resolved -> firing: the same incident goes on
UPDATE otel_guard.incidents AS i SET
    state = 'firing',
    resolved_at = NULL,
    resolution = NULL,
    acknowledged_at = NULL,
    acknowledged_by = NULL,
    escalation_level = 0,
    last_true_at = %(now)s::timestamptz,
    occurrences = i.occurrences + %(occurrences)s::bigint,
    severity = CASE WHEN %(is_higher)s THEN %(severity)s ELSE i.severity END,
    message = %(message)s,
    value = %(value)s::float8,
    threshold = %(threshold)s::float8,
    queries = %(queries)s::jsonb,
    labels = i.labels || %(labels)s::jsonb
WHERE
    i.id = %(incident_id)s::uuid
    AND i.state = 'resolved'
    AND NOT EXISTS (
        SELECT FROM otel_guard.incidents AS o WHERE o.dedup_key = i.dedup_key AND o.state <> 'resolved'
    )
RETURNING to_jsonb(i) AS incident
