SELECT to_jsonb(i) AS incident FROM otel_guard.incidents AS i
WHERE i.state <> 'resolved'
ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], i.severity), i.impact_started_at DESC
