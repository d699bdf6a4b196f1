DELETE FROM otel_guard.dependency_status
WHERE (name, instance) IN (
    SELECT name, instance
    FROM otel_guard.dependency_status
    WHERE checked_at < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
    ORDER BY checked_at
    LIMIT 5000
)
