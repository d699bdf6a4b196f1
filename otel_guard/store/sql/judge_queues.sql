-- The depth of each queue, as the process says that asked last.
SELECT DISTINCT ON (service, environment, name)
    coalesce(p.service, '') AS service, coalesce(p.environment, '') AS environment, q.key AS name,
    CASE WHEN jsonb_typeof(q.value) = 'number' THEN q.value::float8 END AS depth, p.at
FROM otel_guard.heartbeats AS p
CROSS JOIN LATERAL jsonb_each(
    CASE WHEN jsonb_typeof(p.detail #> '{window,queues}') = 'object' THEN p.detail #> '{window,queues}' ELSE '{}' END
) AS q
WHERE p.kind = 'process' AND p.at > %(live_since)s::timestamptz
ORDER BY service, environment, name, jsonb_typeof(q.value) = 'number' DESC, p.at DESC
