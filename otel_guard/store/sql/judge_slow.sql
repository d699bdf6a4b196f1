-- Slow calls by service and environment; as judge_errors.
WITH seen AS (
    SELECT
        coalesce(service, '') AS service, coalesce(environment, '') AS environment, created_at AS at,
        coalesce(duration_ms, value) AS ms
    FROM otel_guard.system_metrics
    WHERE
        type = ANY(%(types)s::text[])
        AND created_at > %(since)s::timestamptz - (%(until)s::timestamptz - %(reach)s::timestamptz)
        AND created_at <= %(until)s
        AND coalesce(duration_ms, value) > %(over_ms)s::float8
        AND (%(table_name)s::text IS NULL OR table_name = %(table_name)s)
        AND (%(system)s::text IS NULL OR system = %(system)s)
        AND (%(operation)s::text IS NULL OR operation = %(operation)s)
        AND (%(route)s::text IS NULL OR route = %(route)s)
        AND (%(service)s::text IS NULL OR service = %(service)s)
        AND (%(environment)s::text IS NULL OR environment = %(environment)s)
), held AS (
    SELECT
        service, environment, at, count(*) OVER w AS n, first_value(at) OVER w AS first_at
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
        count(*) FILTER (WHERE at > %(since)s) AS n,
        count(*) FILTER (WHERE at > %(recent)s) AS recent,
        min(at) FILTER (WHERE at > %(since)s) AS first_at,
        max(at) AS last_at,
        percentile_cont(coalesce(%(q)s::float8, 0)) WITHIN GROUP (ORDER BY ms) FILTER (WHERE %(q)s IS NOT NULL AND at > %(since)s) AS ms,
        percentile_cont(coalesce(%(q)s::float8, 0)) WITHIN GROUP (ORDER BY ms) FILTER (WHERE %(q)s IS NOT NULL AND at > %(recent)s) AS recent_ms
    FROM seen
    GROUP BY service, environment
)
SELECT
    c.service, c.environment, greatest(c.n, f.n)::float8 AS n, c.n::float8 AS n_now, c.recent::float8 AS recent, c.last_at,
    c.ms, c.recent_ms,
    CASE WHEN f.n > c.n THEN f.first_at ELSE c.first_at END AS first_at
FROM counted AS c
LEFT JOIN fullest AS f USING (service, environment)
