-- What the courier and the pages ask all the time, in tables that grow: incidents and their messages stay.
CREATE INDEX alert_outbox_due ON otel_guard.alert_outbox (channel) WHERE state IN ('pending', 'sending');
CREATE INDEX alert_outbox_incident ON otel_guard.alert_outbox (incident_id);
CREATE INDEX alert_outbox_sent ON otel_guard.alert_outbox (channel, sent_at);
CREATE INDEX incident_events_incident ON otel_guard.incident_events (incident_id, at);
CREATE INDEX incidents_fired_at ON otel_guard.incidents (fired_at DESC);
