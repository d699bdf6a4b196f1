-- The schema is looked for first: IF NOT EXISTS asks for the right to create one all the same.
DO $$
BEGIN
    IF to_regnamespace('otel_guard') IS NULL THEN
        CREATE SCHEMA otel_guard;
    END IF;
    IF to_regclass('otel_guard.schema_migrations') IS NULL THEN
        CREATE TABLE otel_guard.schema_migrations (
            version int PRIMARY KEY,
            name text NOT NULL,
            sha256 text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        );
    END IF;
END
$$
