-- Payments begun and failed by service, environment and provider. Of Stripe five calls begin one; of others all that are not
-- plainly something else. A declined card, and what the caller gave up, are no failures of the provider.
WITH failures AS (
    SELECT
        coalesce(service, '') AS service, coalesce(environment, '') AS environment, coalesce(system, '') AS system,
        sum(repeat_count) FILTER (WHERE is_failure) AS failed,
        sum(repeat_count) AS recorded,
        coalesce(sum(repeat_count) FILTER (WHERE is_failure AND at > %(recent)s::timestamptz), 0) AS recent,
        min(at) FILTER (WHERE is_failure) AS first_at,
        (array_agg(received_at ORDER BY at) FILTER (WHERE is_failure))[%(least)s::int] AS ingested_at,
        (array_agg(release ORDER BY at DESC) FILTER (WHERE is_failure))[1] AS release
    FROM (
        SELECT
            *, least(created_at, received_at) AS at,
            coalesce(error_class, '') NOT IN ('declined', 'rejected', 'cancelled') AS is_failure
        FROM otel_guard.system_errors
    ) AS e
    WHERE
        created_at > %(since)s::timestamptz
        AND at <= %(until)s::timestamptz
        AND context = 'payment'
        AND (
            (system = 'stripe' AND operation IN (
                'create payment_intent', 'create checkout.session', 'create subscription', 'create charge',
                'create payment_link'
            ))
            OR (
                system IS DISTINCT FROM 'stripe'
                AND operation !~* '^(get|head|options|delete|put|patch|process|retrieve|list|search|cancel|refund|capture)\M'
            )
        )
    GROUP BY 1, 2, 3
), begun AS (
    SELECT service, environment, system, sum(n) AS n
    FROM otel_guard.metric_minutes
    WHERE
        minute > %(since)s::timestamptz - interval '1 minute'
        AND minute <= %(until)s::timestamptz
        AND name = 'payment.client.operation.duration'
        AND (
            (system = 'stripe' AND operation IN (
                'create payment_intent', 'create checkout.session', 'create subscription', 'create charge',
                'create payment_link'
            ))
            OR (
                system <> 'stripe'
                AND operation !~* '^(get|head|options|delete|put|patch|process|retrieve|list|search|cancel|refund|capture)\M'
            )
        )
    GROUP BY 1, 2, 3
)
SELECT
    service, environment, system, coalesce(f.failed, 0)::float8 AS failed, coalesce(f.recent, 0)::float8 AS recent,
    -- Failures are in Postgres sooner than the sums of all calls.
    greatest(b.n, f.recorded)::float8 AS n, f.first_at, f.ingested_at, f.release
FROM failures AS f
FULL JOIN begun AS b USING (service, environment, system)
