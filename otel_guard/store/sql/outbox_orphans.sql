-- A channel that no settings name any more; another process may know it, hence a day.
UPDATE otel_guard.alert_outbox SET state = 'dead', last_error = 'no such channel in the settings'
WHERE
    channel <> ALL(%(known)s::text[])
    AND state = 'pending'
    AND (payload ->> 'at')::timestamptz <= coalesce(%(now)s::timestamptz, now()) - interval '24 h'
