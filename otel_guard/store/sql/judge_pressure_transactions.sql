-- The oldest transaction id not frozen, as a part of the 2^31 that there are.
SELECT
    'transaction_ids' AS kind, datname::text AS database,
    greatest(age(datfrozenxid), mxid_age(datminmxid))::float8 / 2147483648 AS value
FROM pg_database
ORDER BY value DESC
LIMIT 1
