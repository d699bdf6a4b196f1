-- Into the row in which the process says that it lives; the keys of others in `detail` stay.
INSERT INTO otel_guard.heartbeats AS kept (name, instance, kind, service, environment, period_s, detail, at)
VALUES (
    %(service)s, %(instance)s, 'process', %(service)s, %(environment)s, %(period_s)s::float8, %(detail)s::jsonb, now()
)
ON CONFLICT (name, instance) DO UPDATE SET detail = kept.detail || excluded.detail, at = excluded.at
