-- What stands behind a bad count of one service: kinds, the worst of them with their place, and when the row that was one too
-- many was in Postgres.
WITH seen AS MATERIALIZED (
    SELECT
        least(created_at, received_at) AS at, received_at, repeat_count AS n, fingerprint, error_type, context, system, release
    FROM otel_guard.system_errors
    WHERE
        created_at >= %(first_at)s::timestamptz
        AND least(created_at, received_at) <= %(until)s::timestamptz
        AND coalesce(service, '') = %(of_service)s
        AND coalesce(environment, '') = %(of_environment)s
        AND NOT (
            %(is_without_quiet)s::bool
            AND handled IS NOT FALSE
            AND coalesce(error_class, '') IN ('declined', 'rejected', 'cancelled')
        )
        AND (%(context)s::text IS NULL OR context = %(context)s)
        AND (%(system)s::text IS NULL OR system = %(system)s)
        AND (%(operation)s::text IS NULL OR operation = %(operation)s)
        AND (%(route)s::text IS NULL OR route = %(route)s)
        AND (%(severity)s::text IS NULL OR severity = %(severity)s)
        AND (%(error_type)s::text IS NULL OR error_type = %(error_type)s)
        AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
        AND (%(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s)
), running AS (
    SELECT received_at, sum(n) OVER (ORDER BY at, received_at) AS n FROM seen
), kinds AS (
    SELECT fingerprint, min(error_type) AS error_type, sum(n) AS n, max(at) AS last_at
    FROM seen
    GROUP BY fingerprint, CASE WHEN fingerprint IS NULL THEN error_type END
), worst AS (
    SELECT k.fingerprint, coalesce(g.error_type, k.error_type) AS error_type, k.n, k.last_at
    FROM kinds AS k
    LEFT JOIN otel_guard.error_groups AS g USING (fingerprint)
    ORDER BY k.n DESC, k.last_at DESC
    LIMIT 3
), placed AS (
    SELECT w.error_type, w.n, w.last_at, (
        SELECT e.metadata -> 'place'
        FROM otel_guard.system_errors AS e
        WHERE e.fingerprint = w.fingerprint AND e.created_at >= %(first_at)s AND e.metadata ? 'place'
        ORDER BY e.created_at DESC
        LIMIT 1
    ) AS place
    FROM worst AS w
)
SELECT
    (SELECT min(received_at) FROM running WHERE n > %(limit)s::float8) AS ingested_at,
    (
        SELECT jsonb_agg(jsonb_build_object('error_type', error_type, 'n', n, 'place', place) ORDER BY n DESC, last_at DESC)
        FROM placed
    ) AS top,
    (SELECT array_agg(coalesce(fingerprint, '?') ORDER BY n DESC) FROM kinds) AS fingerprints,
    (SELECT array_agg(DISTINCT context) FROM seen) AS contexts,
    (SELECT array_agg(DISTINCT coalesce(system, '')) FROM seen) AS systems,
    (SELECT release FROM seen ORDER BY at DESC LIMIT 1) AS release
