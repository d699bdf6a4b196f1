"""What a check is given, and the rows that it gives."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from otel_guard.settings import Loaded, Settings
from otel_guard.settings.identity import Identity

Status = Literal["ok", "warning", "failed", "absent"]


class Finding(Struct, frozen=True, kw_only=True):
    """One row: what was looked at, how it is, and what to do about it."""

    group: str
    name: str
    status: Status
    detail: str = ""
    fix: str = ""
    version: str = ""


class Look(Struct, frozen=True, kw_only=True):
    """What every check may look at."""

    loaded: Loaded
    environ: Mapping[str, str]
    who: Identity
    is_network_allowed: bool = True
    application: str | None = None  # a module to import

    @property
    def settings(self) -> Settings:
        """The settings that hold."""
        return self.loaded.settings


def skipped(group: str, name: str) -> Finding:
    """The row of what is only asked over the network."""
    return Finding(group=group, name=name, status="absent", detail="not asked: --no-network")
