-- The row, not an advisory lock: behind a transaction pooler two held that.
INSERT INTO otel_guard.leases AS l (name, holder, expires_at)
VALUES (%(name)s, %(holder)s, coalesce(%(now)s::timestamptz, now()) + %(ttl_s)s * interval '1 second')
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE l.holder = excluded.holder OR l.expires_at <= coalesce(%(now)s::timestamptz, now())
