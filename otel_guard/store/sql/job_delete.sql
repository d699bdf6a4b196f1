DELETE FROM otel_guard.heartbeats
WHERE name = %(name)s AND instance = %(instance)s AND kind = 'job'
