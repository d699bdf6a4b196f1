INSERT INTO otel_guard.silences (matchers, ends_at, author, comment)
SELECT %(matchers)s::jsonb, %(ends_at)s::timestamptz, %(author)s, %(comment)s
WHERE %(ends_at)s::timestamptz <= coalesce(%(now)s::timestamptz, now()) + interval '30 days'
RETURNING id::text AS id
