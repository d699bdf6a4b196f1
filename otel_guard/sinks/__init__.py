"""Readers of the journal: Postgres, Sentry, console."""
