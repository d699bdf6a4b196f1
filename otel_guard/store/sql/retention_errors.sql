DELETE FROM otel_guard.system_errors
WHERE (id) IN (
    SELECT id
    FROM otel_guard.system_errors
    WHERE created_at < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
    ORDER BY created_at
    LIMIT 5000
)
