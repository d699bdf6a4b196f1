-- Those that come back were not applied before.
INSERT INTO otel_guard.applied_frames (id) SELECT unnest(%(id)b::uuid[]) ORDER BY 1 ON CONFLICT (id) DO NOTHING
RETURNING id::text
