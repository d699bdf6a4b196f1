UPDATE otel_guard.channel_state SET held = %(held)s::bigint WHERE channel = %(channel)s AND held <> %(held)s::bigint
