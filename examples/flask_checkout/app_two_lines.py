"""The same shop with two lines of otel-guard: gunicorn app_two_lines:app."""

import otel_guard

otel_guard.configure()

from app import app  # noqa: E402 - after configure(), so that every library it imports is watched

__all__ = ["app"]
