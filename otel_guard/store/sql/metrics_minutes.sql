-- Calls by metric, context, system and operation; the values in the metric's unit.
SELECT
    name, context, system, operation, sum(n)::bigint AS n, sum(errors)::bigint AS errors, sum(sum) AS sum, max(max) AS highest,
    ARRAY[
        coalesce(sum(buckets[1]), 0), coalesce(sum(buckets[2]), 0), coalesce(sum(buckets[3]), 0),
        coalesce(sum(buckets[4]), 0), coalesce(sum(buckets[5]), 0), coalesce(sum(buckets[6]), 0),
        coalesce(sum(buckets[7]), 0), coalesce(sum(buckets[8]), 0), coalesce(sum(buckets[9]), 0),
        coalesce(sum(buckets[10]), 0), coalesce(sum(buckets[11]), 0), coalesce(sum(buckets[12]), 0),
        coalesce(sum(buckets[13]), 0), coalesce(sum(buckets[14]), 0)
    ]::bigint[] AS buckets
FROM otel_guard.metric_minutes
WHERE minute >= coalesce(%(now)s::timestamptz, now()) - %(since_s)s::float8 * interval '1 second'
GROUP BY name, context, system, operation
HAVING sum(n) > 0
ORDER BY sum(n) DESC
LIMIT %(most)s::int
