-- Kinds of errors that are new, back, or three times as many as the mean of the weeks before; `*_n` count them all.
WITH week AS (
    SELECT fingerprint, sum(n) AS n
    FROM otel_guard.error_hours
    WHERE hour >= %(since)s::timestamptz AND hour < %(until)s::timestamptz
    GROUP BY fingerprint
), earlier AS (
    SELECT fingerprint, sum(n) AS n
    FROM otel_guard.error_hours
    WHERE hour >= %(known_since)s::timestamptz AND hour < %(since)s::timestamptz
    GROUP BY fingerprint
), judged AS (
    SELECT
        g.fingerprint, g.title, g.error_type, g.severity, g.context, g.state, g.first_seen_at, g.last_seen_at, w.n,
        CASE WHEN %(weeks)s::int > 0 THEN coalesce(e.n, 0)::float8 / %(weeks)s::int END AS mean,
        g.first_seen_at >= %(since)s AND g.first_seen_at < %(until)s AS is_new,
        coalesce(g.regressed_at >= %(since)s AND g.regressed_at < %(until)s, false) AS is_back
    FROM week AS w
    JOIN otel_guard.error_groups AS g USING (fingerprint)
    LEFT JOIN earlier AS e USING (fingerprint)
), chosen AS (
    SELECT *, NOT is_new AND n >= %(least)s::int AND n >= %(factor)s::int * mean AS is_escalating
    FROM judged
), counted AS (
    SELECT
        *,
        count(*) FILTER (WHERE is_new) OVER () AS new_n,
        count(*) FILTER (WHERE is_back) OVER () AS back_n,
        count(*) FILTER (WHERE is_escalating) OVER () AS escalating_n
    FROM chosen
    WHERE is_new OR is_back OR is_escalating
), listed AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY CASE WHEN is_new THEN 'new' WHEN is_back THEN 'back' ELSE 'escalating' END
            ORDER BY array_position(ARRAY['low', 'medium', 'high', 'critical'], severity) DESC, n DESC
        ) AS rank
    FROM counted
)
SELECT
    fingerprint, title, error_type, severity, context, state, first_seen_at, last_seen_at, n::bigint AS n, mean, is_new,
    is_back, coalesce(is_escalating, false) AS is_escalating, new_n, back_n, escalating_n, place.place
FROM listed
LEFT JOIN LATERAL (
    SELECT e.metadata -> 'place' AS place
    FROM otel_guard.system_errors AS e
    WHERE e.fingerprint = listed.fingerprint AND e.metadata ? 'place'
    ORDER BY e.created_at DESC
    LIMIT 1
) AS place ON true
WHERE rank <= %(most)s::int
ORDER BY rank
