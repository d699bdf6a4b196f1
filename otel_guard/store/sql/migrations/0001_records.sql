-- What the sinks write: errors, slow calls, their sums, and what was not kept.

CREATE TABLE otel_guard.system_errors (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    error_type text NOT NULL,
    message text NOT NULL,
    context text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    user_id text,
    metadata jsonb NOT NULL DEFAULT '{}',
    stack_trace text,
    created_at timestamptz NOT NULL DEFAULT now(),
    received_at timestamptz NOT NULL DEFAULT now(),
    repeat_count int NOT NULL DEFAULT 1,
    handled bool,
    caused_by uuid,
    writer_id uuid,
    seq bigint,
    fingerprint text,
    error_class text,
    sentry_event_id text,
    system text,
    operation text,
    service text,
    environment text,
    release text,
    host text,
    route text,
    trace_id text,
    span_id text
);
CREATE INDEX system_errors_created_at ON otel_guard.system_errors (created_at DESC);
CREATE INDEX system_errors_severity ON otel_guard.system_errors (severity, created_at DESC);
CREATE INDEX system_errors_fingerprint ON otel_guard.system_errors (fingerprint, created_at DESC);
CREATE INDEX system_errors_trace_id ON otel_guard.system_errors (trace_id) WHERE trace_id IS NOT NULL;

CREATE TABLE otel_guard.system_metrics (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    type text NOT NULL,
    value numeric NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    duration_ms float8,
    query_text text,
    table_name text,
    system text,
    operation text,
    service text,
    environment text,
    release text,
    host text,
    route text,
    trace_id text,
    span_id text
);
CREATE INDEX system_metrics_type ON otel_guard.system_metrics (type, created_at DESC);

CREATE TABLE otel_guard.error_groups (
    fingerprint text PRIMARY KEY,
    title text,
    error_type text,
    context text,
    severity text,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'muted', 'resolved')),
    first_seen_at timestamptz,
    last_seen_at timestamptz,
    occurrences bigint NOT NULL DEFAULT 0,
    first_release text,
    last_release text,
    resolved_at timestamptz,
    regressed_at timestamptz,
    muted_until timestamptz,
    parts jsonb
);
CREATE INDEX error_groups_state ON otel_guard.error_groups (state, last_seen_at DESC);

CREATE TABLE otel_guard.error_hours (
    hour timestamptz,
    service text,
    environment text,
    fingerprint text,
    n bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, service, environment, fingerprint)
);
CREATE INDEX error_hours_fingerprint ON otel_guard.error_hours (fingerprint, hour DESC);

CREATE TABLE otel_guard.metric_minutes (
    minute timestamptz,
    name text,
    service text,
    environment text,
    context text,
    system text,
    operation text,
    route text,
    n bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    sum float8 NOT NULL DEFAULT 0,
    max float8 NOT NULL DEFAULT 0,
    buckets bigint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (minute, name, service, environment, context, system, operation, route)
);
CREATE INDEX metric_minutes_name ON otel_guard.metric_minutes (name, service, minute DESC);

CREATE TABLE otel_guard.applied_frames (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE otel_guard.record_drops (
    id uuid PRIMARY KEY,
    writer_id uuid,
    reason text NOT NULL,
    kind text NOT NULL,
    severity text,
    fingerprint text,
    n bigint NOT NULL,
    seqs bigint[],
    first_at timestamptz,
    last_at timestamptz
);

-- lz4 stores twice as fast as pglz; PostgreSQL 13 has no such clause, some builds no lz4.
DO $$
BEGIN
    EXECUTE 'ALTER TABLE otel_guard.system_errors
        ALTER COLUMN stack_trace SET COMPRESSION lz4, ALTER COLUMN metadata SET COMPRESSION lz4';
    EXECUTE 'ALTER TABLE otel_guard.system_metrics
        ALTER COLUMN query_text SET COMPRESSION lz4, ALTER COLUMN metadata SET COMPRESSION lz4';
EXCEPTION WHEN feature_not_supported OR syntax_error OR invalid_parameter_value THEN
    NULL;
END
$$;
