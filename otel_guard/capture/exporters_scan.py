"""What of an exported value is a secret: keys known safe are skipped, clean texts are remembered."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from opentelemetry.sdk.resources import Resource

from otel_guard.core.semconv import SAFE_KEYS

CLEAN_LIMIT: Final = 4_096
CLEAN_LENGTH: Final = 512
LONG_NUMBER: Final = 10**12  # a card has 13 digits
DEPTH_LIMIT: Final = 16
RESOURCE_LIMIT: Final = 16
BODY: Final = "body"
_PLAIN: Final = frozenset({bool, float, type(None)})


class Redacts(Protocol):
    """The redactor, as far as an exporter needs it."""

    def text(self, text: str, /) -> str:
        """Give *text* without secrets."""
        ...

    def mapping(self, values: Mapping[str, object], /) -> dict[str, object]:
        """Give *values* without secrets, judged by key and by value."""
        ...


class Scan:
    """Redacts what an exporter is given; used by one batch thread."""

    def __init__(self, redactor: Redacts) -> None:
        self._redactor = redactor
        self._clean: set[object] = set()  # texts, and (key, text)
        self._resources: dict[int, tuple[Resource, Resource]] = {}

    def text(self, text: str) -> str:
        """Give *text*; the same object where nothing was found."""
        if text in self._clean:
            return text
        found = self._redactor.text(text)
        if found != text:
            return found
        self._remember(text, text)
        return text

    def attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Give what replaces *attributes*; None: nothing was found."""
        if not attributes:
            return None
        clean, changes = self._clean, {}
        # A copy is one C call; the SDK's own mapping takes a Python call an item.
        for key, value in attributes.copy().items() if hasattr(attributes, "copy") else attributes.items():
            if key in SAFE_KEYS or (value.__class__ is str and (key, value) in clean):
                continue
            name, found = self.text(key), self._value(key, value)
            if found is not value or name is not key:
                changes[key] = (name, found)
        if not changes:
            return None
        return dict(changes.get(key, (key, value)) for key, value in attributes.items())

    def body(self, body: Any) -> Any:
        """Give the body of a log record; the same object where nothing was found."""
        return self.text(body) if isinstance(body, str) else self._value(BODY, body)

    def resource(self, resource: Resource) -> Resource:
        """Give *resource* redacted; a process has one or two, so they are remembered."""
        known = self._resources.get(id(resource))
        if known is None or known[0] is not resource:
            changed = self.attributes(resource.attributes)
            known = (resource, resource if changed is None else Resource(changed, resource.schema_url))
            if len(self._resources) >= RESOURCE_LIMIT:
                self._resources.clear()
            self._resources[id(resource)] = known
        return known[1]

    def _value(self, key: str, value: Any) -> Any:
        if value.__class__ in _PLAIN or (value.__class__ is int and -LONG_NUMBER < value < LONG_NUMBER):
            return value
        readable = _readable(value, DEPTH_LIMIT)
        found = self._redactor.mapping({key: readable})
        result = found.get(key, next(iter(found.values()), None))
        if result != readable:
            return _exportable(result, value)
        if value.__class__ is str:
            self._remember((key, value), value)
        return value

    def _remember(self, clean: object, text: str) -> None:
        if len(text) <= CLEAN_LENGTH:
            if len(self._clean) >= CLEAN_LIMIT:
                self._clean.clear()
            self._clean.add(clean)


def _readable(value: Any, depth: int) -> Any:
    """Bytes as text, sequences as lists, keys as text: what the redactor reads."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str | bool | int | float | None):
        return value
    if not depth:
        return str(type(value).__name__)
    if isinstance(value, Mapping):
        return {str(key): _readable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(item, depth - 1) for item in value]
    return str(value)


def _exportable(result: Any, original: Any) -> Any:
    """The result in a shape that OTLP takes; a list of strings stays one of strings."""
    if isinstance(original, bytes) and isinstance(result, str):
        return result.encode()
    return tuple(result) if isinstance(result, list) else result
