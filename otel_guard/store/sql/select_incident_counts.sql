SELECT
    count(*) FILTER (WHERE state = 'firing') AS firing,
    count(*) FILTER (WHERE state = 'acknowledged') AS acknowledged
FROM otel_guard.incidents
WHERE state <> 'resolved'
