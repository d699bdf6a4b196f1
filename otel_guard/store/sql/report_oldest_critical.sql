-- The critical group that is open for the longest time.
SELECT g.fingerprint, g.title, g.context, g.severity, g.state, g.first_seen_at, g.occurrences AS n, newest.place
FROM otel_guard.error_groups AS g
LEFT JOIN LATERAL (
    SELECT e.metadata -> 'place' AS place
    FROM otel_guard.system_errors AS e
    WHERE e.fingerprint = g.fingerprint AND e.created_at < %(until)s::timestamptz
    ORDER BY e.created_at DESC
    LIMIT 1
) AS newest ON true
WHERE g.state IN ('open', 'acknowledged') AND g.severity = 'critical' AND g.first_seen_at < %(until)s
ORDER BY g.first_seen_at
LIMIT 1
