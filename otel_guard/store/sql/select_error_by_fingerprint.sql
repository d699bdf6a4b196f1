SELECT * FROM otel_guard.system_errors
WHERE fingerprint IN (SELECT fingerprint FROM otel_guard.error_groups WHERE starts_with(fingerprint, %(given)s))
ORDER BY created_at DESC
LIMIT 1
