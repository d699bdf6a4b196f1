SELECT
    set_config('transaction_read_only', 'on', true),
    set_config('statement_timeout', '10000', true),
    set_config('TimeZone', 'UTC', true)
