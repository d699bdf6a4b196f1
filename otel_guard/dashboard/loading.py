"""Brings the pages in where their libraries are installed, and says how to install them where not."""

from importlib import import_module
from types import ModuleType
from typing import Final

from otel_guard.core.exceptions import MissingExtraError

NEEDED: Final = frozenset({"jinja2", "markupsafe", "werkzeug"})


def load(name: str = "application") -> ModuleType:
    """The module `otel_guard.dashboard.<name>`.

    Raises:
        MissingExtraError: werkzeug or jinja2 is missing.
    """
    try:
        return import_module(f"otel_guard.dashboard.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NEEDED:
            raise
        raise MissingExtraError(
            f"the pages need {error.name}, which is not installed: pip install 'otel-guard[dashboard]'"
        ) from error
