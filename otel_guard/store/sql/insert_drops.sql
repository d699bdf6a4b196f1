INSERT INTO otel_guard.record_drops (id, writer_id, reason, kind, severity, fingerprint, n, seqs, first_at, last_at)
SELECT
    id, %(writer_id)s::uuid, reason, kind, severity, fingerprint, n, seqs::bigint[],
    timestamptz 'epoch' + first_ms * interval '1 millisecond', timestamptz 'epoch' + last_ms * interval '1 millisecond'
FROM unnest(
    %(id)b::uuid[], %(reason)b::text[], %(kind)b::text[], %(severity)b::text[], %(fingerprint)b::text[], %(n)b::bigint[],
    %(seqs)b::text[], %(first_ms)b::bigint[], %(last_ms)b::bigint[]
) AS d (id, reason, kind, severity, fingerprint, n, seqs, first_ms, last_ms)
ORDER BY id
ON CONFLICT (id) DO NOTHING
