-- By address: a primary key of eight columns would be compared for each.
DELETE FROM otel_guard.metric_minutes
WHERE ctid = ANY (
    ARRAY(
        SELECT ctid
        FROM otel_guard.metric_minutes
        WHERE minute < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
        ORDER BY minute
        LIMIT 5000
    )
)
