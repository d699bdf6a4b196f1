SELECT name, service, environment, period_s, at, (detail ->> 'duration_s')::float8 AS duration_s
FROM otel_guard.heartbeats
WHERE name = %(name)s AND instance = %(instance)s AND kind = 'job'
