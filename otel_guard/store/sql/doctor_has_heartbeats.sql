SELECT to_regclass('otel_guard.heartbeats') IS NOT NULL AS is_there
