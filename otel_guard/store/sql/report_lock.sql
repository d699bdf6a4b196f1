-- Of two monitors one makes the report; the lock ends with the transaction.
SELECT pg_try_advisory_xact_lock(hashtext('otel_guard.report')) AS is_ours
