-- Seconds that the slowest replica lags behind, where there is one; on a replica its own.
SELECT
    'replication_lag' AS kind, current_database()::text AS database, max(application_name) AS application_name,
    max(extract(EPOCH FROM replay_lag))::float8 AS value
FROM pg_stat_replication
WHERE state = 'streaming' AND replay_lag IS NOT NULL
HAVING count(*) > 0
UNION ALL
SELECT
    'replication_lag', current_database()::text, NULL,
    extract(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8
WHERE pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
