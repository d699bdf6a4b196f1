-- How many users met an error.
SELECT count(*) AS users
FROM (
    SELECT DISTINCT user_id
    FROM otel_guard.system_errors
    WHERE created_at >= %(since)s::timestamptz AND created_at < %(until)s::timestamptz AND user_id IS NOT NULL
) AS met
