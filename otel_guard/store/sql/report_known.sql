-- Whether anything was recorded in that time.
SELECT
    EXISTS (SELECT FROM otel_guard.error_hours WHERE hour >= %(since)s::timestamptz AND hour < %(until)s::timestamptz)
    OR EXISTS (SELECT FROM otel_guard.metric_minutes WHERE minute >= %(since)s AND minute < %(until)s)
    OR EXISTS (SELECT FROM otel_guard.incidents WHERE fired_at >= %(since)s AND fired_at < %(until)s)
    OR EXISTS (SELECT FROM otel_guard.deployments WHERE at >= %(since)s AND at < %(until)s) AS is_known
