INSERT INTO otel_guard.reports (week, body, at)
VALUES (%(week)s, %(body)s::jsonb, coalesce(%(now)s::timestamptz, now()))
