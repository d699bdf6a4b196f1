-- Who heard, or is about to hear, that it fires.
SELECT DISTINCT channel FROM otel_guard.alert_outbox
WHERE incident_id = %(incident_id)s::uuid AND kind <> 'resolved' AND state IN ('pending', 'sending', 'sent')
ORDER BY channel
