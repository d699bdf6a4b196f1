INSERT INTO otel_guard.reports (id, week, body, at)
SELECT %(id)s::uuid, %(week)s::text, %(body)s::jsonb, coalesce(%(now)s::timestamptz, now())
WHERE NOT EXISTS (SELECT FROM otel_guard.reports WHERE week = %(week)s::text)
