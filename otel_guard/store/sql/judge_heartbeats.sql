SELECT name, service, environment, at, period_s FROM otel_guard.heartbeats
WHERE kind = 'job' AND period_s > 0
ORDER BY name, instance
