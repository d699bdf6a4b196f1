-- blocked_until in the year 9999: the channel is dead.
UPDATE otel_guard.channel_state SET
    failures = failures + 1,
    last_error_at = coalesce(%(now)s::timestamptz, now()),
    blocked_until = CASE
        WHEN %(is_dead)s THEN timestamptz '9999-01-01 00:00+00'
        WHEN %(after_s)s::float8 IS NULL THEN blocked_until
        ELSE greatest(
            CASE WHEN blocked_until < timestamptz '9999-01-01 00:00+00' THEN blocked_until END,
            coalesce(%(now)s::timestamptz, now()) + %(after_s)s::float8 * interval '1 s'
        )
    END
WHERE channel = %(channel)s
