-- Nobody has acknowledged these; `since` is when it began or grew worse, `facts` what its messages tell beside.
SELECT to_jsonb(i) AS incident, last.at AS since, last.detail AS facts
FROM otel_guard.incidents AS i
JOIN LATERAL (
    SELECT e.at, e.detail FROM otel_guard.incident_events AS e
    WHERE e.incident_id = i.id AND e.kind IN ('fired', 'reopened', 'raised', 'released')
    ORDER BY e.at DESC, (e.detail ->> 'seq')::int DESC
    LIMIT 1
) AS last ON true
WHERE i.state = 'firing' AND i.escalation_level >= 0
ORDER BY i.dedup_key
