SELECT
    channel, coalesce(blocked_until >= timestamptz '9999-01-01 00:00+00', false) AS is_dead,
    CASE WHEN blocked_until < timestamptz '9999-01-01 00:00+00' THEN blocked_until END AS blocked_until, failures,
    last_ok_at, last_error_at, held
FROM otel_guard.channel_state
ORDER BY channel
