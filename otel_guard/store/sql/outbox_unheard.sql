-- Those of some incidents of which nobody has heard, though messages wait.
SELECT incident_id::text AS id FROM otel_guard.alert_outbox
WHERE incident_id = ANY(%(ids)s::uuid[])
GROUP BY incident_id
HAVING bool_or(state = 'pending') AND NOT bool_or(state IN ('sending', 'sent'))
ORDER BY incident_id
