SELECT max(version) FROM otel_guard.schema_migrations
