-- Windows to 48 h: exact, from the rows.
SELECT g.*, w.n, g.first_seen_at >= now() - %(since_s)s * interval '1 second' AS is_new
FROM (
    SELECT fingerprint, sum(repeat_count)::bigint AS n
    FROM otel_guard.system_errors
    WHERE created_at >= now() - %(since_s)s * interval '1 second'
    GROUP BY fingerprint
) AS w
JOIN otel_guard.error_groups AS g USING (fingerprint)
ORDER BY array_position(ARRAY['low', 'medium', 'high', 'critical'], g.severity) DESC, g.last_seen_at DESC
LIMIT %(most)s
