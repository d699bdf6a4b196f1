-- The kinds that met the most users, and how many users met any.
WITH met AS (
    SELECT fingerprint, user_id, sum(repeat_count) AS n
    FROM otel_guard.system_errors
    WHERE created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz
    GROUP BY fingerprint, user_id
), kinds AS (
    SELECT fingerprint, count(user_id) AS users, sum(n) AS n
    FROM met
    WHERE fingerprint IS NOT NULL
    GROUP BY fingerprint
    ORDER BY users DESC, n DESC
    LIMIT %(most)s::int
)
SELECT
    (SELECT count(user_id) FROM (SELECT user_id FROM met GROUP BY user_id) AS each) AS all_users, k.fingerprint, k.users,
    k.n::bigint AS n, g.title, g.error_type, g.severity, g.context, g.state, place.place
FROM kinds AS k
LEFT JOIN otel_guard.error_groups AS g USING (fingerprint)
LEFT JOIN LATERAL (
    SELECT e.metadata -> 'place' AS place
    FROM otel_guard.system_errors AS e
    WHERE e.fingerprint = k.fingerprint AND e.metadata ? 'place'
    ORDER BY e.created_at DESC
    LIMIT 1
) AS place ON true
ORDER BY k.users DESC, k.n DESC
