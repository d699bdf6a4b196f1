DELETE FROM otel_guard.record_drops
WHERE (id) IN (
    SELECT id
    FROM otel_guard.record_drops
    WHERE last_at < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
    ORDER BY last_at
    LIMIT 5000
)
