"""The private names of other packages that we touch: where one is gone, its feature is off."""

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from otel_guard.doctor._base import Finding, Look
from otel_guard.runtime.private import NAMES

GROUP: Final = "private names"


def check(_look: Look) -> Iterator[Finding]:
    """A row for each package that is installed."""
    for package, names in NAMES.items():
        try:
            installed = version(package)
        except PackageNotFoundError:
            continue
        missing = [f"{name} (seen in {seen})" for name, seen in names if not exists(name)]
        if missing:
            fix = f"install a version of {package} that has it; until then what needs it is off"
            detail = f"gone: {', '.join(missing)}"
            yield Finding(
                group=GROUP,
                name=f"{package} private names",
                version=installed,
                status="warning",
                detail=detail,
                fix=fix,
            )
        else:
            detail = f"{len(names)} of {len(names)} there"
            yield Finding(group=GROUP, name=f"{package} private names", version=installed, status="ok", detail=detail)


def exists(dotted: str) -> bool:
    """Whether the name is there: in a module, in a class, or set by one of the class's methods."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            holder: Any = import_module(".".join(parts[:length]))
        except ImportError:
            continue
        return _holds(holder, parts[length:])
    return False


def _holds(holder: Any, names: list[str]) -> bool:
    for name in names:
        if not hasattr(holder, name):
            return isinstance(holder, type) and _is_set(holder, name)
        holder = getattr(holder, name)
    return True


def _is_set(kind: type, name: str) -> bool:
    methods = (method for each in kind.__mro__ for method in vars(each).values())
    return any(name in code.co_names for method in methods if (code := getattr(method, "__code__", None)) is not None)
