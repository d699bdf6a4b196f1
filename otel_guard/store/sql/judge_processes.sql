-- Services by their processes: the newest sign of life, and how the journals of those that live stand.
SELECT
    coalesce(service, name, '') AS service, coalesce(environment, '') AS environment, max(at) AS at,
    max(period_s) AS period_s,
    coalesce(max(oldest_s) FILTER (WHERE is_live), 0) AS oldest_s,
    coalesce(max(bytes / limit_bytes) FILTER (WHERE is_live), 0) AS filled,
    coalesce(sum(late) FILTER (WHERE is_live), 0) AS late,
    count(*) FILTER (WHERE is_live) AS live
FROM (
    SELECT
        *, at > %(live_since)s::timestamptz AS is_live,
        CASE WHEN detail ->> 'oldest_s' ~ '^\d+(\.\d+)?$' THEN (detail ->> 'oldest_s')::float8 END AS oldest_s,
        CASE WHEN detail ->> 'journal_bytes' ~ '^\d+$' THEN (detail ->> 'journal_bytes')::float8 END AS bytes,
        CASE WHEN detail ->> 'limit_bytes' ~ '^[1-9]\d*$' THEN (detail ->> 'limit_bytes')::float8 ELSE 268435456 END AS limit_bytes,
        CASE WHEN detail ->> 'redacted_late' ~ '^\d+$' THEN (detail ->> 'redacted_late')::float8 END AS late
    FROM otel_guard.heartbeats
    WHERE kind = 'process' AND at > %(until)s::timestamptz - interval '1 day'
) AS p
GROUP BY 1, 2
