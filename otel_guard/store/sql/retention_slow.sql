-- A look at each type's end of the index (type, created_at): the table has no index by time alone.
WITH RECURSIVE types AS (
    (SELECT type FROM otel_guard.system_metrics ORDER BY type LIMIT 1)
    UNION ALL
    SELECT (
        SELECT m.type
        FROM otel_guard.system_metrics AS m
        WHERE m.type > t.type
        ORDER BY m.type
        LIMIT 1
    )
    FROM types AS t
    WHERE t.type IS NOT NULL
)
DELETE FROM otel_guard.system_metrics
WHERE id IN (
    SELECT old.id
    FROM types AS t
    CROSS JOIN LATERAL (
        SELECT m.id, m.created_at
        FROM otel_guard.system_metrics AS m
        WHERE m.type = t.type AND m.created_at < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
        ORDER BY m.created_at
        LIMIT 5000
    ) AS old
    ORDER BY old.created_at
    LIMIT 5000
)
