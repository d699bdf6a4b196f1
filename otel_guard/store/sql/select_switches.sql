SELECT * FROM otel_guard.switches ORDER BY name
