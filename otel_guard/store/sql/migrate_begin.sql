-- Other migrators wait here; who holds a table for long makes us give up and try again.
SELECT set_config('lock_timeout', '2s', true), pg_advisory_xact_lock(5719036724310187345)
