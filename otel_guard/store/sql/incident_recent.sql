-- Open ones first, the worst first; then what is over, the newest first.
SELECT to_jsonb(i) AS incident FROM otel_guard.incidents AS i
WHERE i.state <> 'pending'
ORDER BY
    i.state = 'resolved',
    CASE WHEN i.state <> 'resolved' THEN array_position(ARRAY['critical', 'high', 'medium', 'low'], i.severity) END,
    coalesce(i.resolved_at, i.fired_at, i.impact_started_at) DESC
LIMIT %(most)s
