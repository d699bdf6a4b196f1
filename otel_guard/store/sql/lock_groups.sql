-- Amendments touch groups after the INSERT did: all locks of a batch in one order, so that two writers never wait crosswise.
SELECT fingerprint FROM otel_guard.error_groups WHERE fingerprint = ANY(%(fingerprints)b::text[])
ORDER BY fingerprint FOR NO KEY UPDATE
