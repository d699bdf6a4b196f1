-- What needs the way out: channels that failed last, probes of services elsewhere. A failure long ago says nothing of now.
SELECT
    (
        SELECT count(*)
        FROM otel_guard.channel_state
        WHERE
            channel = ANY(%(channels)s::text[])
            AND failures > 0
            AND last_error_at > coalesce(last_ok_at, '-infinity')
            AND last_error_at > coalesce(%(now)s::timestamptz, now()) - interval '15 minutes'
    ) AS channels_failing,
    count(*) AS probes,
    count(*) FILTER (WHERE status = 'unhealthy') AS probes_failing
FROM otel_guard.dependency_status
WHERE
    source = 'active'
    AND (name IN ('payment', 'storage', 'email') OR name LIKE 'ai.%%')
    AND checked_at > coalesce(%(now)s::timestamptz, now()) - interval '150 seconds'
