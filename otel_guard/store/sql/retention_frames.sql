DELETE FROM otel_guard.applied_frames
WHERE (id) IN (
    SELECT id
    FROM otel_guard.applied_frames
    WHERE at < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
    ORDER BY at
    LIMIT 5000
)
