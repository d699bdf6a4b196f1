-- `seq`, its number within the incident, makes the keys of its messages.
WITH earlier AS (
    SELECT count(*) + 1 AS seq FROM otel_guard.incident_events WHERE incident_id = %(incident_id)s::uuid
)
INSERT INTO otel_guard.incident_events (incident_id, kind, actor, detail, at)
SELECT
    %(incident_id)s::uuid, %(kind)s, %(actor)s, %(detail)s::jsonb || jsonb_build_object('seq', earlier.seq),
    %(now)s::timestamptz
FROM earlier
RETURNING (detail ->> 'seq')::int AS seq
