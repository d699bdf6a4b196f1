UPDATE otel_guard.silences SET ends_at = coalesce(%(now)s::timestamptz, now())
WHERE id = %(id)s::uuid AND ends_at > coalesce(%(now)s::timestamptz, now())
