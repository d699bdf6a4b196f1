-- The most frequent kinds of errors of the last hours, with their place; of one context, class or all.
WITH kinds AS (
    SELECT
        fingerprint, min(error_type) AS error_type, sum(repeat_count) AS n, max(created_at) AS last_at, min(severity) AS severity,
        min(system) AS system, min(message) AS message, count(DISTINCT user_id) AS users
    FROM otel_guard.system_errors
    WHERE
        created_at >= %(now)s::timestamptz - %(hours)s::float8 * interval '1 hour' AND created_at <= %(now)s::timestamptz
        AND (%(context)s::text IS NULL OR context = %(context)s)
        AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
    GROUP BY fingerprint, CASE WHEN fingerprint IS NULL THEN error_type END
    ORDER BY n DESC, last_at DESC
    LIMIT 5
)
SELECT
    k.fingerprint, k.error_type, k.n::bigint AS n, k.users, k.last_at, k.system, coalesce(g.severity, k.severity) AS severity,
    left(coalesce(g.title, k.error_type || ': ' || k.message), 200) AS title, (
        SELECT e.metadata -> 'place'
        FROM otel_guard.system_errors AS e
        WHERE e.fingerprint = k.fingerprint AND e.metadata ? 'place'
        ORDER BY e.created_at DESC
        LIMIT 1
    ) AS place
FROM kinds AS k
LEFT JOIN otel_guard.error_groups AS g USING (fingerprint)
ORDER BY k.n DESC, k.last_at DESC
