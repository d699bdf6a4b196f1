INSERT INTO otel_guard.system_metrics (
    id, created_at, type, value, duration_ms, query_text, table_name, metadata, system, operation, route, trace_id, span_id,
    service, environment, release, host
)
SELECT
    id, timestamptz 'epoch' + at_ms * interval '1 millisecond', type, value, duration_ms, query_text, table_name, metadata,
    system, operation, route, trace_id, span_id,
    %(service)s::text, %(environment)s::text, %(release)s::text, %(host)s::text
FROM unnest(
    %(id)b::uuid[], %(at_ms)b::bigint[], %(type)b::text[], %(value)b::float8[], %(duration_ms)b::float8[],
    %(query_text)b::text[], %(table_name)b::text[], %(metadata)b::jsonb[], %(system)b::text[], %(operation)b::text[],
    %(route)b::text[], %(trace_id)b::text[], %(span_id)b::text[]
) AS s (
    id, at_ms, type, value, duration_ms,
    query_text, table_name, metadata, system, operation,
    route, trace_id, span_id
)
ORDER BY id
ON CONFLICT (id) DO NOTHING
