-- Each provider's webhooks: the newest, the longest gap between two, on how many days there were enough.
WITH minutes AS (
    SELECT service, environment, system, minute, sum(n) AS n
    FROM otel_guard.metric_minutes
    WHERE
        name = 'payment.webhook.process.duration'
        AND minute > %(since)s::timestamptz
        AND minute <= %(until)s::timestamptz
        AND n > 0
    GROUP BY 1, 2, 3, 4
), gaps AS (
    SELECT *, minute - lag(minute) OVER (PARTITION BY service, environment, system ORDER BY minute) AS gap FROM minutes
), days AS (
    SELECT service, environment, system, count(*) AS days
    FROM (
        SELECT service, environment, system
        FROM minutes
        GROUP BY service, environment, system, (minute AT TIME ZONE 'UTC')::date
        HAVING sum(n) >= %(least)s::float8
    ) AS busy
    GROUP BY 1, 2, 3
)
SELECT
    service, environment, system, max(gaps.minute) AS last_at, extract(EPOCH FROM max(gaps.gap))::float8 AS gap_s,
    max(days.days) AS days
FROM gaps
INNER JOIN days USING (service, environment, system)
GROUP BY 1, 2, 3
