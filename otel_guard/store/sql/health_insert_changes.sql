-- Safe to run twice: the process made the ids.
INSERT INTO otel_guard.dependency_changes (id, name, instance, status, previous, at)
SELECT given.id, given.name, %(instance)s, given.status, given.previous, given.at
FROM
    unnest(
        %(ids)s::uuid [], %(names)s::text [], %(statuses)s::text [], %(previous)s::text [], %(at)s::timestamptz []
    ) AS given (id, name, status, previous, at)
ON CONFLICT (id) DO NOTHING
