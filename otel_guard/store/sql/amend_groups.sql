UPDATE otel_guard.error_groups AS g SET
    severity = CASE
        WHEN a.severity IS NULL THEN g.severity
        WHEN a.is_severity_final THEN a.severity
        WHEN array_position(ARRAY['low', 'medium', 'high', 'critical'], a.severity)
            > array_position(ARRAY['low', 'medium', 'high', 'critical'], g.severity) THEN a.severity
        ELSE g.severity
    END,
    context = coalesce(a.context, g.context)
FROM unnest(%(fingerprint)b::text[], %(severity)b::text[], %(is_severity_final)b::bool[], %(context)b::text[])
    AS a (fingerprint, severity, is_severity_final, context)
WHERE g.fingerprint = a.fingerprint
