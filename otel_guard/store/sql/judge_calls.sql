-- Calls by service, environment and system (where asked); a minute counts as a whole if any of it lies in the window.
SELECT
    service, environment, CASE WHEN %(is_by_system)s::bool THEN system ELSE '' END AS system,
    sum(n)::float8 AS n, sum(errors)::float8 AS errors, max(max) AS highest,
    coalesce(sum(n) FILTER (WHERE is_recent), 0)::float8 AS recent,
    coalesce(sum(errors) FILTER (WHERE is_recent), 0)::float8 AS recent_errors,
    coalesce(max(max) FILTER (WHERE is_recent), 0) AS recent_highest,
    min(minute) AS first_at,
    min(minute) FILTER (WHERE errors > 0) AS first_error_at,
    min(minute) FILTER (WHERE max > %(over_s)s::float8) AS first_over_at,
    ARRAY[
        coalesce(sum(buckets[1]), 0), coalesce(sum(buckets[2]), 0), coalesce(sum(buckets[3]), 0),
        coalesce(sum(buckets[4]), 0), coalesce(sum(buckets[5]), 0), coalesce(sum(buckets[6]), 0),
        coalesce(sum(buckets[7]), 0), coalesce(sum(buckets[8]), 0), coalesce(sum(buckets[9]), 0),
        coalesce(sum(buckets[10]), 0), coalesce(sum(buckets[11]), 0), coalesce(sum(buckets[12]), 0),
        coalesce(sum(buckets[13]), 0), coalesce(sum(buckets[14]), 0)
    ]::bigint[] AS buckets,
    ARRAY[
        coalesce(sum(buckets[1]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[2]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[3]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[4]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[5]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[6]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[7]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[8]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[9]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[10]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[11]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[12]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[13]) FILTER (WHERE is_recent), 0),
        coalesce(sum(buckets[14]) FILTER (WHERE is_recent), 0)
    ]::bigint[] AS recent_buckets
FROM (
    SELECT *, minute > %(recent)s::timestamptz - interval '1 minute' AS is_recent
    FROM otel_guard.metric_minutes
    WHERE
        minute > %(since)s::timestamptz - interval '1 minute'
        AND minute <= %(until)s::timestamptz
        AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s))
        AND (%(names)s::text[] IS NOT NULL OR name <> 'payment.webhook.lag')
        AND (%(context)s::text IS NULL OR context = %(context)s)
        AND (%(system)s::text IS NULL OR system = %(system)s)
        AND (%(operation)s::text IS NULL OR operation = %(operation)s)
        AND (%(route)s::text IS NULL OR route = %(route)s)
        AND (%(service)s::text IS NULL OR service = %(service)s)
        AND (%(environment)s::text IS NULL OR environment = %(environment)s)
) AS m
GROUP BY 1, 2, 3
