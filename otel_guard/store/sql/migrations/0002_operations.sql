-- What the monitor, the switches, the health pages and the processes themselves write.

CREATE TABLE otel_guard.incidents (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'firing', 'acknowledged', 'resolved')),
    type text NOT NULL,
    rule text,
    dedup_key text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    context text,
    message text,
    service text,
    environment text,
    release text,
    value float8,
    threshold float8,
    queries jsonb NOT NULL DEFAULT '[]',
    labels jsonb NOT NULL DEFAULT '{}',
    impact_started_at timestamptz,
    pending_at timestamptz,
    fired_at timestamptz,
    first_delivered_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at timestamptz,
    resolution text,
    note text,
    last_true_at timestamptz,
    occurrences bigint NOT NULL DEFAULT 1,
    escalation_level int NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX incidents_open ON otel_guard.incidents (dedup_key) WHERE state <> 'resolved';

CREATE TABLE otel_guard.incident_events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    incident_id uuid NOT NULL,
    kind text NOT NULL,
    actor text,
    detail jsonb NOT NULL DEFAULT '{}',
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE otel_guard.silences (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    matchers jsonb NOT NULL,
    ends_at timestamptz NOT NULL,
    author text,
    comment text
);

CREATE TABLE otel_guard.alert_outbox (
    key text PRIMARY KEY,
    incident_id uuid,
    channel text NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'sent', 'dead', 'superseded')),
    attempts int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    locked_until timestamptz,
    sent_at timestamptz,
    last_status int,
    last_error text
);

CREATE TABLE otel_guard.channel_state (
    channel text PRIMARY KEY,
    blocked_until timestamptz,
    failures int NOT NULL DEFAULT 0,
    last_ok_at timestamptz,
    last_error_at timestamptz,
    held bigint NOT NULL DEFAULT 0
);

CREATE TABLE otel_guard.switches (
    name text PRIMARY KEY,
    enabled bool NOT NULL DEFAULT true,
    reason text,
    changed_by text,
    changed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    version bigint NOT NULL DEFAULT 1
);

CREATE TABLE otel_guard.switch_events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    enabled bool NOT NULL,
    previous bool,
    reason text,
    actor text,
    source text,
    incident_id uuid,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE otel_guard.heartbeats (
    name text,
    instance text,
    kind text NOT NULL CHECK (kind IN ('process', 'monitor', 'job')),
    service text,
    environment text,
    at timestamptz NOT NULL DEFAULT now(),
    period_s float8,
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (name, instance)
);

CREATE TABLE otel_guard.leases (
    name text PRIMARY KEY,
    holder text,
    expires_at timestamptz
);

CREATE TABLE otel_guard.dependency_status (
    name text,
    instance text,
    status text NOT NULL,
    source text,
    critical bool NOT NULL DEFAULT false,
    latency_ms float8,
    error_rate float8,
    samples bigint,
    message text,
    changed_at timestamptz,
    checked_at timestamptz,
    PRIMARY KEY (name, instance)
);

CREATE TABLE otel_guard.dependency_changes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    instance text NOT NULL,
    status text NOT NULL,
    previous text,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE otel_guard.deployments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    service text,
    environment text,
    release text,
    previous text,
    actor text,
    url text,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE otel_guard.reports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    week text NOT NULL,
    body jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
