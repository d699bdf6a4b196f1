"""Incidents and what is told of them: channels, the fast path, the direct path."""
