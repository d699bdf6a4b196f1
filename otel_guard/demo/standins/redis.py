"""As much of Redis as a client's first words: RESP 2, one value, and commands that are refused."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from otel_guard.demo.standins._tcp import Tcp

_OK: Final = b"+OK\r\n"
_UNKNOWN: Final = b"-ERR unknown command\r\n"
_REPLIES: Final = {
    b"PING": b"+PONG\r\n",
    b"GET": b"$5\r\nvalue\r\n",
    b"SET": _OK,
    b"CLIENT": _OK,
    b"SELECT": _OK,
    b"AUTH": _OK,
    b"QUIT": _OK,
    b"LPUSH": b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
}


def start() -> Tcp:
    """Start it on a free port."""
    return Tcp(_talk)


def _talk(heard: BinaryIO, said: BinaryIO) -> None:
    said.writelines(_REPLIES.get(words[0].upper(), _UNKNOWN) for words in _commands(heard))


def _commands(heard: BinaryIO) -> Iterator[list[bytes]]:
    while (line := heard.readline()).startswith(b"*"):
        words = []
        for _ in range(int(line[1:])):
            size = int(heard.readline()[1:])
            words.append(heard.read(size))
            heard.readline()
        yield words
