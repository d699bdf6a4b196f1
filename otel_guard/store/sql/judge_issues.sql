-- Groups, high or worse, that are new or back, or whose incident is open and that go on, by service and environment.
WITH groups AS (
    SELECT
        g.*, CASE WHEN %(is_regression)s::bool THEN g.regressed_at ELSE g.first_seen_at END AS began_at
    FROM otel_guard.error_groups AS g
    WHERE
        g.state = ANY(ARRAY['open', 'acknowledged'])
        AND g.last_seen_at > %(since)s::timestamptz
        AND g.severity IN ('high', 'critical')
), seen AS (
    SELECT
        g.fingerprint, e.service, e.environment, e.n, e.first_at, e.ingested_at, e.newest,
        coalesce(g.began_at > %(since)s AND g.began_at <= %(until)s::timestamptz, false) AS is_new,
        i.id IS NOT NULL AS is_open
    FROM groups AS g
    CROSS JOIN LATERAL (
        SELECT
            coalesce(r.service, '') AS service, coalesce(r.environment, '') AS environment, sum(r.repeat_count) AS n,
            min(least(r.created_at, r.received_at)) AS first_at, min(r.received_at) AS ingested_at,
            (array_agg(r.id ORDER BY r.created_at DESC, r.id DESC))[1] AS newest
        FROM otel_guard.system_errors AS r
        WHERE r.fingerprint = g.fingerprint AND r.created_at > %(since)s AND least(r.created_at, r.received_at) <= %(until)s
        GROUP BY 1, 2
    ) AS e
    LEFT JOIN otel_guard.incidents AS i
        ON i.dedup_key = concat_ws(':', %(rule)s::text, e.environment, e.service, g.fingerprint) AND i.state <> 'resolved'
)
SELECT
    s.*, g.title, g.severity, e.error_type, e.context, e.operation, e.route, e.release, e.metadata -> 'place' AS place
FROM seen AS s
INNER JOIN otel_guard.error_groups AS g USING (fingerprint)
INNER JOIN otel_guard.system_errors AS e ON e.id = s.newest
WHERE s.is_new OR s.is_open
ORDER BY s.first_at
LIMIT 200
