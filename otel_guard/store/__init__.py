"""All that speaks Postgres."""
