-- Safe to run twice: the writer made the ids, and only rows really inserted are counted.
WITH input AS (
    SELECT *
    FROM unnest(
        %(id)b::uuid[], %(at_ms)b::bigint[], %(seq)b::bigint[], %(repeat_count)b::int[], %(error_type)b::text[],
        %(message)b::text[], %(context)b::text[], %(severity)b::text[], %(fingerprint)b::text[], %(title)b::text[],
        %(parts)b::jsonb[], %(error_class)b::text[], %(user_id)b::text[], %(metadata)b::jsonb[], %(stack_trace)b::text[],
        %(handled)b::bool[], %(caused_by)b::uuid[], %(system)b::text[], %(operation)b::text[], %(route)b::text[],
        %(trace_id)b::text[], %(span_id)b::text[], %(sentry_event_id)b::text[]
    ) AS i (
        id, at_ms, seq, repeat_count, error_type,
        message, context, severity, fingerprint, title,
        parts, error_class, user_id, metadata, stack_trace,
        handled, caused_by, system, operation, route,
        trace_id, span_id, sentry_event_id
    )
), ins AS (
    INSERT INTO otel_guard.system_errors (
        id, created_at, seq, repeat_count, error_type, message, context, severity, fingerprint, error_class, user_id,
        metadata, stack_trace, handled, caused_by, system, operation, route, trace_id, span_id, sentry_event_id,
        writer_id, service, environment, release, host
    )
    SELECT
        id, timestamptz 'epoch' + at_ms * interval '1 millisecond', seq, repeat_count, error_type, message, context,
        severity, fingerprint, error_class, user_id, metadata, stack_trace, handled, caused_by, system, operation, route,
        trace_id, span_id, sentry_event_id,
        %(writer_id)s::uuid, %(service)s::text, %(environment)s::text, %(release)s::text, %(host)s::text
    FROM input
    ORDER BY id
    ON CONFLICT (id) DO NOTHING
    RETURNING id, created_at, repeat_count, error_type, context, severity, fingerprint
), fresh AS (
    SELECT ins.*, input.title, input.parts,
        array_position(ARRAY['low', 'medium', 'high', 'critical'], ins.severity) AS rank
    FROM ins JOIN input USING (id)
), grouped AS (
    SELECT
        fingerprint,
        (array_agg(title ORDER BY created_at, id))[1] AS title,
        (array_agg(error_type ORDER BY created_at, id))[1] AS error_type,
        (array_agg(context ORDER BY created_at, id))[1] AS context,
        (array_agg(parts ORDER BY created_at, id))[1] AS parts,
        (ARRAY['low', 'medium', 'high', 'critical'])[max(rank)] AS severity,
        min(created_at) AS first_seen_at,
        max(created_at) AS last_seen_at,
        sum(repeat_count) AS occurrences
    FROM fresh
    GROUP BY fingerprint
), groups AS (
    INSERT INTO otel_guard.error_groups AS g (
        fingerprint, title, error_type, context, severity, first_seen_at, last_seen_at, occurrences,
        first_release, last_release, parts
    )
    SELECT
        fingerprint, title, error_type, context, severity, first_seen_at, last_seen_at, occurrences,
        %(release)s::text, %(release)s::text, parts
    FROM grouped
    ORDER BY fingerprint
    ON CONFLICT (fingerprint) DO UPDATE SET
        severity = CASE
            WHEN array_position(ARRAY['low', 'medium', 'high', 'critical'], excluded.severity)
                > array_position(ARRAY['low', 'medium', 'high', 'critical'], g.severity) THEN excluded.severity
            ELSE g.severity
        END,
        -- What happened before it was resolved and came late is no regression.
        state = CASE
            WHEN g.state = 'resolved' AND excluded.last_seen_at > coalesce(g.resolved_at, '-infinity') THEN 'open'
            ELSE g.state
        END,
        regressed_at = CASE
            WHEN g.state = 'resolved' AND excluded.last_seen_at > coalesce(g.resolved_at, '-infinity')
                THEN greatest(excluded.first_seen_at, g.resolved_at)
            ELSE g.regressed_at
        END,
        first_release = CASE WHEN excluded.first_seen_at < g.first_seen_at THEN excluded.first_release ELSE g.first_release END,
        last_release = CASE WHEN excluded.last_seen_at >= g.last_seen_at THEN excluded.last_release ELSE g.last_release END,
        first_seen_at = least(g.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(g.last_seen_at, excluded.last_seen_at),
        occurrences = g.occurrences + excluded.occurrences
), hours AS (
    INSERT INTO otel_guard.error_hours AS h (hour, service, environment, fingerprint, n)
    SELECT date_trunc('hour', created_at, 'UTC') AS hour, %(service)s::text, %(environment)s::text, fingerprint, sum(repeat_count)
    FROM fresh
    GROUP BY 1, fingerprint
    ORDER BY fingerprint, 1
    ON CONFLICT (hour, service, environment, fingerprint) DO UPDATE SET n = h.n + excluded.n
)
SELECT count(*) FROM ins
