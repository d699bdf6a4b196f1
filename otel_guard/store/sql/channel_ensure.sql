INSERT INTO otel_guard.channel_state (channel)
SELECT channel FROM unnest(%(channels)s::text[]) AS channel
ON CONFLICT (channel) DO NOTHING
