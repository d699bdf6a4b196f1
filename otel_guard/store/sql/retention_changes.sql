DELETE FROM otel_guard.dependency_changes
WHERE (id) IN (
    SELECT id
    FROM otel_guard.dependency_changes
    WHERE at < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
    ORDER BY at
    LIMIT 5000
)
