UPDATE otel_guard.incidents SET first_delivered_at = coalesce(%(now)s::timestamptz, now())
WHERE id = ANY(%(ids)s::uuid[]) AND first_delivered_at IS NULL
