INSERT INTO otel_guard.metric_minutes AS m (
    minute, name, service, environment, context, system, operation, route, n, errors, sum, max, buckets
)
SELECT
    to_timestamp(minute), name, %(service)s::text, %(environment)s::text, context, system, operation, route,
    n, errors, sum, max, buckets::bigint[]
FROM unnest(
    %(minute)b::bigint[], %(name)b::text[], %(context)b::text[], %(system)b::text[], %(operation)b::text[],
    %(route)b::text[], %(n)b::bigint[], %(errors)b::bigint[], %(sum)b::float8[], %(max)b::float8[], %(buckets)b::text[]
) AS i (minute, name, context, system, operation, route, n, errors, sum, max, buckets)
ORDER BY minute, name, context, system, operation, route
ON CONFLICT (minute, name, service, environment, context, system, operation, route) DO UPDATE SET
    n = m.n + excluded.n,
    errors = m.errors + excluded.errors,
    sum = m.sum + excluded.sum,
    max = greatest(m.max, excluded.max),
    buckets = ARRAY(
        SELECT coalesce(old, 0) + coalesce(new, 0)
        FROM unnest(m.buckets, excluded.buckets) WITH ORDINALITY AS b (old, new, place)
        ORDER BY place
    )
