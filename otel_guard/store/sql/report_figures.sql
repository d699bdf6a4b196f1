SELECT errors.n AS errors, calls.n AS requests, calls.errors AS failed, users.n AS users
FROM (
    SELECT coalesce(sum(n), 0)::bigint AS n
    FROM otel_guard.error_hours
    WHERE hour >= %(since)s::timestamptz AND hour < %(until)s::timestamptz
) AS errors,
(
    SELECT coalesce(sum(n), 0)::bigint AS n, coalesce(sum(m.errors), 0)::bigint AS errors
    FROM otel_guard.metric_minutes AS m
    WHERE name = %(name)s AND minute >= %(since)s AND minute < %(until)s
) AS calls,
(
    SELECT count(*) AS n
    FROM (
        SELECT user_id
        FROM otel_guard.system_errors
        WHERE created_at >= %(since)s AND created_at < %(until)s AND user_id IS NOT NULL
        GROUP BY user_id
    ) AS each
) AS users
