-- Ours for a minute; `locked_until` is the proof of it.
UPDATE otel_guard.alert_outbox AS o SET
    state = 'sending',
    attempts = o.attempts + 1,
    locked_until = coalesce(%(now)s::timestamptz, now()) + interval '60 s',
    payload = o.payload || jsonb_build_object('sent_with', %(first)s::text)
WHERE o.key IN (
    SELECT key FROM otel_guard.alert_outbox
    WHERE
        key = ANY(%(keys)s::text[])
        AND (
            state = 'pending'
            OR (state = 'sending' AND locked_until <= coalesce(%(now)s::timestamptz, now()))
        )
    FOR UPDATE SKIP LOCKED
)
RETURNING o.key, o.payload, o.locked_until
