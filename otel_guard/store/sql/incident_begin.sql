-- Of many openers at once each waits for the one before: longer than other statements wait for a lock.
SELECT now() AS now, set_config('lock_timeout', '1500', true) AS lock_timeout
