"""One frozen tree of settings and how it is read: keyword > environment > file > default."""

from otel_guard.settings.loading import Loaded, load
from otel_guard.settings.tree import Settings

__all__ = ["Loaded", "Settings", "load"]
