-- The newest report on each of these weeks.
SELECT DISTINCT ON (week) week, body, at
FROM otel_guard.reports
WHERE week = ANY(%(weeks)s::text[])
ORDER BY week, at DESC
