INSERT INTO otel_guard.heartbeats AS h (name, instance, kind, service, environment, period_s, detail, at)
VALUES (
    %(name)s, %(instance)s, %(kind)s, %(service)s, %(environment)s, %(period_s)s::float8, %(detail)s::jsonb, now()
)
ON CONFLICT (name, instance) DO UPDATE SET
    kind = excluded.kind,
    service = excluded.service,
    environment = excluded.environment,
    period_s = excluded.period_s,
    detail = h.detail || excluded.detail, -- the health writes its window there too
    at = excluded.at
