-- Safe to run twice. A final severity or context replaces, a derived severity only rises; unhandled, once seen, stays;
-- type, message and stack go to a row without a stack; the rest fills what is empty.
UPDATE otel_guard.system_errors AS e SET
    severity = CASE
        WHEN a.severity IS NULL THEN e.severity
        WHEN a.is_severity_final THEN a.severity
        WHEN array_position(ARRAY['low', 'medium', 'high', 'critical'], a.severity)
            > array_position(ARRAY['low', 'medium', 'high', 'critical'], e.severity) THEN a.severity
        ELSE e.severity
    END,
    context = coalesce(a.context, e.context),
    handled = CASE WHEN a.handled IS FALSE THEN false ELSE coalesce(e.handled, a.handled) END,
    user_id = coalesce(e.user_id, a.user_id),
    route = coalesce(e.route, a.route),
    sentry_event_id = coalesce(e.sentry_event_id, a.sentry_event_id),
    error_type = CASE WHEN e.stack_trace IS NULL THEN coalesce(a.error_type, e.error_type) ELSE e.error_type END,
    message = CASE WHEN e.stack_trace IS NULL THEN coalesce(a.message, e.message) ELSE e.message END,
    stack_trace = coalesce(e.stack_trace, a.stack_trace),
    metadata = CASE WHEN a.metadata IS NULL THEN e.metadata ELSE e.metadata || a.metadata END
FROM unnest(
    %(id)b::uuid[], %(severity)b::text[], %(is_severity_final)b::bool[], %(context)b::text[], %(handled)b::bool[],
    %(user_id)b::text[], %(route)b::text[], %(sentry_event_id)b::text[], %(error_type)b::text[], %(message)b::text[],
    %(stack_trace)b::text[], %(metadata)b::jsonb[]
) AS a (
    id, severity, is_severity_final, context, handled,
    user_id, route, sentry_event_id, error_type, message,
    stack_trace, metadata
)
WHERE e.id = a.id
RETURNING e.id::text
