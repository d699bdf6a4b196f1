"""From spans, logs, hooks and calls to records in the journal."""
