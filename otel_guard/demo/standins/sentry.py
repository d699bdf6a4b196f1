"""Sentry's envelope endpoint: it keeps the error events, and can be told to refuse."""

import json
import re
from typing import Final

import msgspec

from otel_guard.demo.standins._http import Request, Response, as_json, serve

_PATH: Final = re.compile(r"^/api/\d+/envelope/(?:\?.*)?$")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One error event, as often as it came."""

    event_id: str
    trace_id: str
    exception_type: str
    level: str
    tags: dict[str, str]


class Refusal(msgspec.Struct, frozen=True):
    """What it says instead of taking an event; `after_s` becomes Retry-After."""

    status: int
    after_s: int | None = None


class Sentry:
    """`events` is everything that was delivered, repeats of an id included."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.refusal: Refusal | None = None
        self.refused = 0
        self._running = serve(self._answer)
        self.port = self._running.port
        self.dsn = f"http://{'5' * 32}@127.0.0.1:{self.port}/1"

    def refuse(self, status: int, after_s: int | None = None) -> None:
        """Answer *status* from now on, until `accept`."""
        self.refusal = Refusal(status, after_s)

    def accept(self) -> None:
        """Take events again."""
        self.refusal = None

    def ids_by_trace(self) -> dict[str, set[str]]:
        """Trace id to the ids of its events: Sentry itself keeps one event an id."""
        found: dict[str, set[str]] = {}
        for event in tuple(self.events):
            found.setdefault(event.trace_id, set()).add(event.event_id)
        return found

    def stop(self) -> None:
        """Take no more requests."""
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        if request.method != "POST" or not _PATH.match(request.path):
            return as_json(404, {"detail": "not found"})
        if (refusal := self.refusal) is not None:
            self.refused += 1
            after = {} if refusal.after_s is None else {"Retry-After": str(refusal.after_s)}
            return as_json(refusal.status, {"detail": "refused"}, after)
        event_id, events = _parsed(request.body)
        self.events.extend(events)
        return as_json(200, {"id": event_id})


def start() -> Sentry:
    """Start it on a free port; `dsn` is what `SENTRY_DSN` takes."""
    return Sentry()


def _parsed(body: bytes) -> tuple[str, list[Event]]:
    """Event id of the envelope, and its error events; ValueError if it is none."""
    first, _, rest = body.partition(b"\n")
    events = []
    while rest.strip():
        header, _, rest = rest.partition(b"\n")
        item = json.loads(header)
        length = item.get("length")
        payload, rest = (rest[:length], rest[length:]) if length is not None else rest.partition(b"\n")[::2]
        rest = rest.removeprefix(b"\n")
        if item.get("type") == "event":
            events.append(_event(json.loads(payload)))
    return str(json.loads(first).get("event_id", "")), events


def _event(given: dict[str, object]) -> Event:
    contexts = given.get("contexts")
    trace = contexts.get("trace", {}) if isinstance(contexts, dict) else {}
    exception = given.get("exception")
    values = exception.get("values", []) if isinstance(exception, dict) else exception or []
    tags = given.get("tags") or {}
    return Event(
        event_id=str(given.get("event_id", "")),
        trace_id=str(trace.get("trace_id", "")),
        exception_type=str(values[-1].get("type", "")) if isinstance(values, list) and values else "",
        level=str(given.get("level", "error")),
        tags={str(name): str(value) for name, value in (tags.items() if isinstance(tags, dict) else ())},
    )
