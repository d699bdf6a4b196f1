-- One statement: of many openers at once one opens, the others touch.
INSERT INTO otel_guard.incidents AS i (
    id, state, type, rule, dedup_key, severity, context, message, service, environment, release, value, threshold, queries,
    labels, impact_started_at, pending_at, fired_at, last_true_at, occurrences
)
VALUES (
    %(id)s::uuid, %(state)s, %(type)s, %(rule)s, %(dedup_key)s, %(severity)s, %(context)s, %(message)s, %(service)s,
    %(environment)s, %(release)s, %(value)s::float8, %(threshold)s::float8, %(queries)s::jsonb, %(labels)s::jsonb,
    coalesce(%(impact_started_at)s::timestamptz, %(now)s::timestamptz),
    CASE WHEN %(state)s = 'pending' THEN %(now)s::timestamptz END,
    CASE WHEN %(state)s = 'firing' THEN %(now)s::timestamptz END,
    %(now)s::timestamptz, %(occurrences)s::bigint
)
ON CONFLICT (dedup_key) WHERE state <> 'resolved' DO UPDATE SET
    last_true_at = greatest(i.last_true_at, excluded.last_true_at),
    occurrences = i.occurrences + excluded.occurrences
RETURNING to_jsonb(i) AS incident, (i.xmax = 0) AS opened
