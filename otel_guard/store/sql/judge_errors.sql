-- Errors by service and environment: in the window, and in the last moments of it; of the windows that ended since `reach` the
-- fullest counts. Rows of a clock that is ahead count from when they came.
WITH seen AS (
    SELECT
        coalesce(service, '') AS service, coalesce(environment, '') AS environment,
        least(created_at, received_at) AS at, repeat_count AS n
    FROM otel_guard.system_errors
    WHERE
        created_at > %(since)s::timestamptz - (%(until)s::timestamptz - %(reach)s::timestamptz)
        AND least(created_at, received_at) <= %(until)s
        AND NOT (
            %(is_without_quiet)s::bool
            AND handled IS NOT FALSE
            AND coalesce(error_class, '') IN ('declined', 'rejected', 'cancelled')
        )
        AND (%(context)s::text IS NULL OR context = %(context)s)
        AND (%(system)s::text IS NULL OR system = %(system)s)
        AND (%(operation)s::text IS NULL OR operation = %(operation)s)
        AND (%(route)s::text IS NULL OR route = %(route)s)
        AND (%(service)s::text IS NULL OR service = %(service)s)
        AND (%(environment)s::text IS NULL OR environment = %(environment)s)
        AND (%(severity)s::text IS NULL OR severity = %(severity)s)
        AND (%(error_type)s::text IS NULL OR error_type = %(error_type)s)
        AND (%(error_class)s::text IS NULL OR error_class = %(error_class)s)
        AND (%(fingerprint)s::text IS NULL OR fingerprint = %(fingerprint)s)
), held AS (
    SELECT
        service, environment, at, sum(n) OVER w AS n, first_value(at) OVER w AS first_at
    FROM seen
    WHERE %(reach)s::timestamptz < %(until)s::timestamptz
    WINDOW w AS (
        PARTITION BY service, environment ORDER BY at
        RANGE BETWEEN %(until)s::timestamptz - %(since)s::timestamptz PRECEDING AND CURRENT ROW
    )
), fullest AS (
    SELECT DISTINCT ON (service, environment) service, environment, n, first_at
    FROM held
    WHERE at > %(reach)s
    ORDER BY service, environment, n DESC, at
), counted AS (
    SELECT
        service, environment,
        coalesce(sum(n) FILTER (WHERE at > %(since)s), 0) AS n,
        coalesce(sum(n) FILTER (WHERE at > %(recent)s), 0) AS recent,
        min(at) FILTER (WHERE at > %(since)s) AS first_at,
        max(at) AS last_at
    FROM seen
    GROUP BY service, environment
)
SELECT
    c.service, c.environment, greatest(c.n, f.n)::float8 AS n, c.n::float8 AS n_now, c.recent::float8 AS recent, c.last_at,
    CASE WHEN f.n > c.n THEN f.first_at ELSE c.first_at END AS first_at
FROM counted AS c
LEFT JOIN fullest AS f USING (service, environment)
