-- Whether a report on the week is stored; of a time before anything was recorded there is nothing to report.
SELECT
    EXISTS (SELECT FROM otel_guard.reports WHERE week = %(week)s::text) AS is_stored,
    EXISTS (SELECT FROM otel_guard.error_hours WHERE hour < %(until)s::timestamptz)
    OR EXISTS (SELECT FROM otel_guard.metric_minutes WHERE minute < %(until)s::timestamptz)
    OR EXISTS (SELECT FROM otel_guard.incidents WHERE fired_at < %(until)s::timestamptz) AS is_known
