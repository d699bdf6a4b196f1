-- Channels for which something waits (of one incident), those that work first.
SELECT o.channel
FROM otel_guard.alert_outbox AS o
LEFT JOIN otel_guard.channel_state AS c ON c.channel = o.channel
WHERE
    o.state IN ('pending', 'sending')
    AND (%(incident_id)s::uuid IS NULL OR o.incident_id = %(incident_id)s::uuid)
GROUP BY o.channel, c.failures
ORDER BY coalesce(c.failures, 0), o.channel
