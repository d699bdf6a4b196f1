"""The pages stand-alone: a small threaded server that logs no address, as addresses hold signatures."""

import socket
from collections.abc import Callable
from typing import Any, Final

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

Wsgi = Callable[..., Any]
REQUEST_S: Final = 30  # of a client that says nothing


class _Quiet(WSGIRequestHandler):
    timeout = REQUEST_S

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        """Say nothing."""

    def version_string(self) -> str:
        """No versions."""
        return "otel-guard"


def server(application: Wsgi, host: str, port: int) -> BaseWSGIServer:
    """Listen on *host*; port 0: a free one, see its `port`. `serve_forever()` runs it.

    Raises:
        OSError: the port is taken, or the address is not ours.
    """
    listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    with listening:  # werkzeug takes a copy; left to itself it exits the process where a port is taken
        return make_server(host, port, application, threaded=True, request_handler=_Quiet, fd=listening.fileno())
