SELECT version, name, sha256 FROM otel_guard.schema_migrations ORDER BY version
