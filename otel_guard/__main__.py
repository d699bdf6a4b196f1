"""`python -m otel_guard`."""

from otel_guard.cli import main

main()
