-- Errors of a week, and its requests: `failed` are those of them that failed.
SELECT
    (
        SELECT coalesce(sum(h.n), 0)
        FROM otel_guard.error_hours AS h
        WHERE h.hour >= %(since)s::timestamptz AND h.hour < %(until)s::timestamptz
    )::bigint AS n,
    coalesce(sum(r.n), 0)::bigint AS requests,
    coalesce(sum(r.errors), 0)::bigint AS failed
FROM otel_guard.metric_minutes AS r
WHERE r.name = 'http.server.request.duration' AND r.minute >= %(since)s::timestamptz AND r.minute < %(until)s::timestamptz
