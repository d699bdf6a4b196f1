-- Kinds of errors since a moment, most frequent first, with the newest place of each.
WITH kinds AS (
    SELECT
        coalesce(fingerprint, error_type) AS kind, min(fingerprint) AS fingerprint, sum(repeat_count)::bigint AS n,
        max(created_at) AS last_at, max(array_position(ARRAY['low', 'medium', 'high', 'critical'], severity)) AS worst,
        (array_agg(id ORDER BY created_at DESC, id DESC))[1] AS newest
    FROM otel_guard.system_errors
    WHERE
        created_at > %(since)s::timestamptz
        AND (%(context)s::text IS NULL OR context = %(context)s)
        AND (%(system)s::text IS NULL OR system = %(system)s)
        AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
        AND (%(operation)s::text IS NULL OR operation = %(operation)s)
        AND (%(service)s::text IS NULL OR service = %(service)s)
        AND (%(environment)s::text IS NULL OR environment = %(environment)s)
    GROUP BY 1
)
SELECT
    k.fingerprint, e.id::text AS id, k.n, k.last_at,
    coalesce(g.title, concat_ws(': ', e.error_type, left(e.message, 500))) AS title,
    coalesce(g.severity, (ARRAY['low', 'medium', 'high', 'critical'])[k.worst]) AS severity,
    e.service, e.metadata -> 'place' AS place, g.first_seen_at,
    coalesce(g.first_seen_at > %(since)s, false) AS is_new, coalesce(g.regressed_at > %(since)s, false) AS is_back
FROM kinds AS k
INNER JOIN otel_guard.system_errors AS e ON e.id = k.newest
LEFT JOIN otel_guard.error_groups AS g ON g.fingerprint = k.fingerprint
WHERE NOT %(is_only_new)s::bool OR g.first_seen_at > %(since)s OR g.regressed_at > %(since)s
ORDER BY k.n DESC, k.last_at DESC
LIMIT %(most)s
