-- The slowest calls behind a bad count of one service, each statement once.
WITH seen AS (
    SELECT
        created_at, coalesce(duration_ms, value)::float8 AS ms, query_text, table_name, operation, type,
        metadata -> 'place' AS place, release
    FROM otel_guard.system_metrics
    WHERE
        type = ANY(%(types)s::text[])
        AND created_at >= %(first_at)s::timestamptz
        AND created_at <= %(until)s::timestamptz
        AND coalesce(duration_ms, value) > %(over_ms)s::float8
        AND coalesce(service, '') = %(of_service)s
        AND coalesce(environment, '') = %(of_environment)s
        AND (%(table_name)s::text IS NULL OR table_name = %(table_name)s)
        AND (%(system)s::text IS NULL OR system = %(system)s)
        AND (%(operation)s::text IS NULL OR operation = %(operation)s)
        AND (%(route)s::text IS NULL OR route = %(route)s)
), slow AS (
    SELECT * FROM seen ORDER BY ms DESC LIMIT 200
), slowest AS (
    SELECT DISTINCT ON (query_text, table_name, operation) query_text, operation, type, ms, table_name, place
    FROM slow
    ORDER BY query_text, table_name, operation, ms DESC
)
SELECT coalesce(query_text, operation, type) AS query, ms, table_name, place,
    (SELECT release FROM slow ORDER BY created_at DESC LIMIT 1) AS release
FROM slowest
ORDER BY ms DESC
LIMIT 5
