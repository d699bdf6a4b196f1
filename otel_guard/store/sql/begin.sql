-- SET LOCAL, in one round trip. A commit that the server may forget must not move a cursor: never `off`.
SELECT
    set_config(
        'transaction_read_only',
        CASE WHEN %(is_read_only)s THEN 'on' ELSE current_setting('transaction_read_only') END,
        true
    ),
    set_config('TimeZone', 'UTC', true),
    set_config('statement_timeout', %(statement_ms)s::text, true),
    set_config('lock_timeout', '250', true),
    set_config('idle_in_transaction_session_timeout', '5000', true),
    set_config(
        'synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
        true
    )
