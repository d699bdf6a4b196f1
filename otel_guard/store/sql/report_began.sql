-- Since when anything is known.
SELECT least(
    (SELECT min(hour) FROM otel_guard.error_hours),
    (SELECT min(minute) FROM otel_guard.metric_minutes),
    (SELECT min(first_seen_at) FROM otel_guard.error_groups)
) AS at
