"""Cut a socket at its deadline: what statement time-outs and keepalives don't do on a frozen peer."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def socket_deadline(fileno: int, seconds: float) -> Iterator[None]:
    """Shut the socket *fileno* down if the body is not done in *seconds*; its owner then sees a lost connection."""
    duplicate = socket.socket(fileno=os.dup(fileno))
    timer = threading.Timer(seconds, _cut, (duplicate,))
    timer.daemon = True
    with suppress(RuntimeError):  # at its end an interpreter allows no thread: the peer's own time-outs have to do
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        duplicate.close()


def _cut(duplicate: socket.socket) -> None:
    try:
        duplicate.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed in the same moment: there is nothing to cut
