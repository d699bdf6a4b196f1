UPDATE otel_guard.alert_outbox SET state = 'superseded', locked_until = NULL
WHERE
    key = ANY(%(keys)s::text[])
    AND (state = 'pending' OR (state = 'sending' AND locked_until <= coalesce(%(now)s::timestamptz, now())))
