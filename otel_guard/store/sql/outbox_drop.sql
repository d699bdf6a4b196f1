-- What was not delivered yet of some incidents, of one kind.
UPDATE otel_guard.alert_outbox SET state = 'superseded'
WHERE incident_id = ANY(%(ids)s::uuid[]) AND kind = %(kind)s AND state = 'pending'
