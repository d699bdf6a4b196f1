-- Most rules count in a window: the most counts. Critical errors are counted from the beginning, and that corrects what the
-- fast path has added meanwhile.
UPDATE otel_guard.incidents AS i SET
    last_true_at = greatest(i.last_true_at, %(now)s::timestamptz),
    occurrences = CASE
        WHEN i.rule = 'critical_error' THEN %(occurrences)s::bigint
        ELSE greatest(i.occurrences, %(occurrences)s::bigint)
    END,
    message = %(message)s,
    value = %(value)s::float8,
    threshold = %(threshold)s::float8,
    queries = %(queries)s::jsonb,
    labels = i.labels || %(labels)s::jsonb
WHERE i.id = %(incident_id)s::uuid AND i.state = %(was)s
RETURNING to_jsonb(i) AS incident
