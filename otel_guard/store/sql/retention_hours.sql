DELETE FROM otel_guard.error_hours
WHERE (hour, service, environment, fingerprint) IN (
    SELECT hour, service, environment, fingerprint
    FROM otel_guard.error_hours
    WHERE hour < coalesce(%(now)s::timestamptz, now()) - %(days)s * interval '1 day'
    ORDER BY hour
    LIMIT 5000
)
