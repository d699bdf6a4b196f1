SELECT * FROM otel_guard.system_errors WHERE trace_id = %(trace_id)s ORDER BY created_at, seq
