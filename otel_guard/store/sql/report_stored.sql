SELECT body, at FROM otel_guard.reports WHERE week = %(week)s ORDER BY at DESC LIMIT 1
