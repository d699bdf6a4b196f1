SELECT
    rule, type, severity, state, message, occurrences,
    extract(EPOCH FROM first_delivered_at - impact_started_at)::float8 AS after_s
FROM otel_guard.incidents
WHERE state <> 'pending'
ORDER BY impact_started_at, id
