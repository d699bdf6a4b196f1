-- Errors that may not wait, by service, environment and kind. What an application's guard wrote counts from when it came (the
-- row of a dead process's journal comes late), what others wrote from its own time.
WITH fresh AS (
    SELECT
        e.id, coalesce(e.service, '') AS service, coalesce(e.environment, '') AS environment,
        coalesce(e.fingerprint, e.error_type) AS kind, e.repeat_count, e.created_at, e.received_at,
        e.writer_id IS NULL OR e.received_at <= %(settled)s::timestamptz AS is_ours_to_open
    FROM otel_guard.system_errors AS e
    WHERE
        e.severity = ANY(ARRAY['critical', 'high'])
        AND (e.severity = 'critical' OR e.context = 'payment')
        AND e.created_at > least(%(recent)s::timestamptz, %(until)s::timestamptz - interval '1 hour')
        AND least(e.created_at, e.received_at) <= %(until)s
        AND CASE WHEN e.writer_id IS NULL THEN e.created_at ELSE greatest(e.created_at, e.received_at) END > %(recent)s
), kinds AS (
    SELECT
        service, environment, kind, bool_or(is_ours_to_open) AS is_ours_to_open, min(received_at) AS ingested_at,
        min(least(created_at, received_at)) AS first_at, min(created_at) AS first_created_at, sum(repeat_count) AS n,
        (array_agg(id ORDER BY created_at DESC, id DESC))[1] AS newest
    FROM fresh
    GROUP BY 1, 2, 3
    ORDER BY first_at
    LIMIT 200
), known AS (
    SELECT
        kinds.*, i.id IS NOT NULL AS is_open,
        -- A message is made of the row's milliseconds.
        coalesce(i.impact_started_at - interval '1 ms', kinds.first_created_at) AS began_at
    FROM kinds
    LEFT JOIN otel_guard.incidents AS i
        ON i.dedup_key = concat_ws(':', %(rule)s::text, kinds.environment, kinds.service, nullif(kinds.kind, ''))
        AND i.state <> 'resolved'
)
SELECT
    k.service, k.environment, k.kind, k.first_at, k.ingested_at, k.is_ours_to_open, k.is_open,
    e.fingerprint, e.error_type, left(e.message, 2000) AS message, e.context, e.operation, e.route, e.release,
    e.metadata -> 'place' AS place, g.title, (
        SELECT coalesce(sum(a.repeat_count), 0)
        FROM otel_guard.system_errors AS a
        WHERE
            a.created_at >= greatest(k.began_at, %(until)s::timestamptz - interval '1 day')
            AND a.fingerprint = e.fingerprint
            AND a.severity = ANY(ARRAY['critical', 'high'])
            AND (a.severity = 'critical' OR a.context = 'payment')
            AND coalesce(a.service, '') = k.service
            AND coalesce(a.environment, '') = k.environment
    )::bigint AS occurrences, k.n
FROM known AS k
INNER JOIN otel_guard.system_errors AS e ON e.id = k.newest
LEFT JOIN otel_guard.error_groups AS g ON g.fingerprint = e.fingerprint
