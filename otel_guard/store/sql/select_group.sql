SELECT * FROM otel_guard.error_groups WHERE fingerprint = %(fingerprint)s
