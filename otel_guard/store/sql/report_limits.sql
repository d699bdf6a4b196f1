-- Within a savepoint.
SELECT set_config('statement_timeout', %(statement_ms)s::text, true), set_config('TimeZone', 'UTC', true)
