SELECT
    instance,
    (detail ->> 'journal_bytes')::bigint AS journal_bytes,
    (detail ->> 'oldest_s')::float8 AS oldest_s,
    (detail ->> 'dropped')::bigint AS dropped,
    service, environment, at
FROM otel_guard.heartbeats
WHERE kind = 'process' AND at >= now() - interval '1 day'
ORDER BY service, instance
