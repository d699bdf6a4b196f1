SELECT
    extract(EPOCH FROM now() - at)::float8 AS age_s,
    period_s,
    extract(EPOCH FROM now() - (detail ->> 'retention_at')::timestamptz)::float8 AS retention_age_s
FROM otel_guard.heartbeats
WHERE kind = 'monitor'
ORDER BY at DESC
LIMIT 1
