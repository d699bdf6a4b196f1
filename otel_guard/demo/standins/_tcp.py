"""A small server on 127.0.0.1 around one function from connection to its end."""

import socketserver
import threading
from collections.abc import Callable
from typing import BinaryIO, Final

IDLE_S: Final = 30.0
Talk = Callable[[BinaryIO, BinaryIO], None]  # what the peer says, what is said to it


class Tcp:
    """Runs until `stop`."""

    def __init__(self, talk: Talk) -> None:
        self._server = _Server(talk)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="standin", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)


class _Server(socketserver.ThreadingTCPServer):
    """Holds the function that talks."""

    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, talk: Talk) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.talk = talk

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that is done does not say goodbye."""


class _Session(socketserver.StreamRequestHandler):
    """One connection."""

    timeout = IDLE_S
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Talk to its end."""
        assert isinstance(self.server, _Server)
        self.server.talk(self.rfile, self.wfile)  # type: ignore[arg-type]
