-- The open incidents of a rule (or of one key), and those that ended in the last 10 min.
SELECT to_jsonb(i) AS incident, still.at AS still_at, ended.at AS ended_at
FROM otel_guard.incidents AS i
LEFT JOIN LATERAL (
    SELECT max(e.at) AS at FROM otel_guard.incident_events AS e WHERE e.incident_id = i.id AND e.kind = 'still'
) AS still ON true
LEFT JOIN LATERAL (
    SELECT max(e.at) AS at FROM otel_guard.incident_events AS e WHERE e.incident_id = i.id AND e.kind = 'resolved'
) AS ended ON true
WHERE
    (i.rule = %(rule)s::text OR i.dedup_key = %(dedup_key)s::text)
    AND (
        i.state <> 'resolved'
        OR (
            i.resolved_at > coalesce(%(now)s::timestamptz, now()) - interval '1 day'
            AND ended.at >= coalesce(%(now)s::timestamptz, now()) - interval '10 min'
        )
    )
ORDER BY i.dedup_key, i.state = 'resolved', ended.at DESC
