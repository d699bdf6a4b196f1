INSERT INTO otel_guard.heartbeats (name, instance, kind, period_s, detail, at)
VALUES (
    'monitor', %(instance)s, 'monitor', %(period_s)s::float8, %(detail)s::jsonb, coalesce(%(now)s::timestamptz, now())
)
ON CONFLICT (name, instance) DO UPDATE SET
    period_s = excluded.period_s,
    detail = excluded.detail,
    at = excluded.at
