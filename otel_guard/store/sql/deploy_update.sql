-- The newest row of its place already says this release, since less than an hour: the monitor saw it first, or CI tries again.
UPDATE otel_guard.deployments AS d SET
    actor = coalesce(%(actor)s::text, d.actor),
    url = coalesce(%(url)s::text, d.url)
WHERE d.id = (
    SELECT newest.id
    FROM (
        SELECT id, release, at
        FROM otel_guard.deployments
        WHERE service IS NOT DISTINCT FROM %(service)s::text AND environment IS NOT DISTINCT FROM %(environment)s::text
        ORDER BY at DESC
        LIMIT 1
    ) AS newest
    WHERE newest.release = %(release)s::text AND newest.at > coalesce(%(now)s::timestamptz, now()) - interval '60 min'
)
RETURNING d.*, false AS is_new
