SELECT DISTINCT rule FROM otel_guard.incidents WHERE state <> 'resolved' AND rule IS NOT NULL ORDER BY rule
