INSERT INTO otel_guard.deployments (id, service, environment, release, previous, actor, url, at)
VALUES (
    %(id)s::uuid, %(service)s::text, %(environment)s::text, %(release)s::text,
    (
        SELECT d.release
        FROM otel_guard.deployments AS d
        WHERE
            d.service IS NOT DISTINCT FROM %(service)s::text
            AND d.environment IS NOT DISTINCT FROM %(environment)s::text
            AND d.release IS DISTINCT FROM %(release)s::text
        ORDER BY d.at DESC
        LIMIT 1
    ),
    %(actor)s::text, %(url)s::text, coalesce(%(now)s::timestamptz, now())
)
RETURNING id, service, environment, release, previous, actor, url, at
