SELECT
    seen.name, seen.instance, seen.status, seen.source, seen.critical, seen.latency_ms, seen.error_rate, seen.samples,
    seen.message, seen.changed_at, seen.checked_at, process.service, process.environment
FROM otel_guard.dependency_status AS seen
INNER JOIN otel_guard.heartbeats AS process ON process.instance = seen.instance AND process.kind = 'process'
WHERE
    seen.checked_at > now() - make_interval(secs => %(live_s)s)
    AND process.at > now() - make_interval(secs => %(live_s)s)
    AND (%(service)s::text IS NULL OR process.service = %(service)s)
    AND (%(environment)s::text IS NULL OR process.environment = %(environment)s)
ORDER BY process.service, process.environment, seen.name, seen.instance
LIMIT 5000
