"""What a probe talks to."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Protocol

_SCOPE: Final = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"doctor")],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 80),
}


class Server(Protocol):
    """A stand-in of `demo/standins`."""

    port: int

    def stop(self) -> None:
        """Take no more requests."""
        ...


class Nowhere:
    """For what needs no server."""

    port = 0
    url = ""

    def stop(self) -> None:
        """Nothing runs."""


Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def asgi(app: Callable[[Message, Receive, Send], Awaitable[None]], path: str) -> None:
    """Ask an ASGI application once."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        """Nobody reads it."""

    scope: Message = {**_SCOPE, "path": path, "raw_path": path.encode()}
    asyncio.run(_ask(app, scope, receive, send))


async def _ask(app: Any, scope: Message, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
