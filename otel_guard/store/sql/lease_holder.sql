SELECT holder, expires_at FROM otel_guard.leases WHERE name = %(name)s AND expires_at > now()
