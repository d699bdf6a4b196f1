SELECT
    (SELECT holder FROM otel_guard.leases WHERE name = 'monitor' AND expires_at > now()) AS leader,
    (SELECT max(at) FROM otel_guard.heartbeats WHERE kind = 'monitor') AS last_cycle_at
