-- One row for a release that its place has run for less than an hour: the monitor saw it first, or a pipeline tries again.
WITH newest AS (
    SELECT id, release, at
    FROM otel_guard.deployments
    WHERE service IS NOT DISTINCT FROM %(service)s::text AND environment IS NOT DISTINCT FROM %(environment)s::text
    ORDER BY at DESC
    LIMIT 1
), again AS (
    UPDATE otel_guard.deployments AS d
    SET actor = coalesce(%(actor)s::text, d.actor), url = coalesce(%(url)s::text, d.url)
    FROM newest
    WHERE
        d.id = newest.id
        AND newest.release = %(release)s::text
        AND newest.at > coalesce(%(now)s::timestamptz, now()) - interval '60 min'
    RETURNING d.id, d.service, d.environment, d.release, d.previous, d.actor, d.url, d.at
), fresh AS (
    INSERT INTO otel_guard.deployments (id, service, environment, release, previous, actor, url, at)
    SELECT
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
    WHERE NOT EXISTS (SELECT FROM again)
    RETURNING id, service, environment, release, previous, actor, url, at
)
SELECT * FROM again UNION ALL SELECT * FROM fresh
