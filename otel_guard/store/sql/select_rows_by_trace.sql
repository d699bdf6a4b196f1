SELECT trace_id, sum(errors)::bigint AS errors, sum(slow)::bigint AS slow
FROM (
    SELECT trace_id, repeat_count AS errors, 0 AS slow FROM otel_guard.system_errors WHERE trace_id IS NOT NULL
    UNION ALL
    SELECT trace_id, 0, 1 FROM otel_guard.system_metrics WHERE trace_id IS NOT NULL
) AS both_tables
GROUP BY trace_id
