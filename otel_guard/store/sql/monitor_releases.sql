-- A release that a living process says and no deployment row has.
INSERT INTO otel_guard.deployments (service, environment, release, previous, actor, at)
SELECT
    seen.service,
    seen.environment,
    seen.release,
    (
        SELECT d.release
        FROM otel_guard.deployments AS d
        WHERE d.service = seen.service AND d.environment = seen.environment
        ORDER BY d.at DESC
        LIMIT 1
    ),
    'monitor',
    coalesce(%(now)s::timestamptz, now())
FROM (
    SELECT DISTINCT service, environment, detail ->> 'release' AS release
    FROM otel_guard.heartbeats
    WHERE kind = 'process' AND at > coalesce(%(now)s::timestamptz, now()) - interval '3 minutes'
) AS seen
WHERE seen.service IS NOT NULL AND seen.environment IS NOT NULL AND seen.release <> '' AND NOT EXISTS (
    SELECT FROM otel_guard.deployments AS d
    WHERE d.service = seen.service AND d.environment = seen.environment AND d.release = seen.release
)
RETURNING service, environment, release
