-- What each live process says of each dependency.
SELECT
    coalesce(p.service, '') AS service, coalesce(p.environment, '') AS environment, d.name, d.status, d.critical, d.message,
    d.changed_at
FROM otel_guard.dependency_status AS d
INNER JOIN otel_guard.heartbeats AS p ON p.instance = d.instance AND p.kind = 'process'
WHERE d.checked_at > %(live_since)s::timestamptz AND p.at > %(live_since)s::timestamptz
ORDER BY 1, 2, d.name, d.changed_at
LIMIT 10000
