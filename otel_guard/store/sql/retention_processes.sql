DELETE FROM otel_guard.heartbeats
WHERE (name, instance) IN (
    SELECT name, instance
    FROM otel_guard.heartbeats
    WHERE kind <> 'job' AND at < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
    ORDER BY at
    LIMIT 5000
)
