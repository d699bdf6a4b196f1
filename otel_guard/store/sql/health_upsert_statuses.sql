-- One row a dependency and process, by the database's clock; in the order of the key, so that no two processes wait crosswise.
INSERT INTO otel_guard.dependency_status AS kept (
    name, instance, status, source, critical, latency_ms, error_rate, samples, message, changed_at, checked_at
)
SELECT
    given.name, %(instance)s, given.status, given.source, given.critical, given.latency_ms, given.error_rate,
    given.samples, given.message, coalesce(given.changed_at, now()), now()
FROM
    unnest(
        %(names)s::text [], %(statuses)s::text [], %(sources)s::text [], %(criticals)s::bool [], %(latencies)s::float8 [],
        %(rates)s::float8 [], %(samples)s::bigint [], %(messages)s::text [], %(changed)s::timestamptz []
    ) AS given (name, status, source, critical, latency_ms, error_rate, samples, message, changed_at)
ORDER BY given.name
ON CONFLICT (name, instance) DO UPDATE SET
    status = excluded.status,
    source = excluded.source,
    critical = excluded.critical,
    latency_ms = excluded.latency_ms,
    error_rate = excluded.error_rate,
    samples = excluded.samples,
    message = excluded.message,
    changed_at = CASE WHEN kept.status = excluded.status THEN kept.changed_at ELSE excluded.changed_at END,
    checked_at = excluded.checked_at
