-- Without a period the stored one holds; a beat older than the stored one changes nothing.
INSERT INTO otel_guard.heartbeats AS h (name, instance, kind, service, environment, period_s, detail, at)
VALUES (
    %(name)s, %(instance)s, 'job', %(service)s, %(environment)s,
    coalesce(%(period_s)s::float8, %(default_s)s::float8), %(detail)s::jsonb,
    now() - make_interval(secs => %(age_s)s::float8)
)
ON CONFLICT (name, instance) DO UPDATE SET
    kind = excluded.kind,
    service = excluded.service,
    environment = excluded.environment,
    period_s = coalesce(%(period_s)s::float8, h.period_s, %(default_s)s::float8),
    detail = excluded.detail,
    at = excluded.at
WHERE h.at <= excluded.at
