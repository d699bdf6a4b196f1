DELETE FROM otel_guard.leases WHERE name = %(name)s AND holder = %(holder)s
