DELETE FROM otel_guard.system_metrics
WHERE (id) IN (
    SELECT id
    FROM otel_guard.system_metrics
    WHERE created_at < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
    ORDER BY created_at
    LIMIT 5000
)
