"""An SMTP server that takes all mail but for addresses that begin with `bounced`, `busy` or `blocked`."""

import re
import socketserver
import threading
from collections.abc import Mapping
from typing import Final

import msgspec

REFUSALS: Final[Mapping[str, str]] = {
    "bounced": "550 5.1.1 The email account that you tried to reach does not exist",
    "busy": "450 4.2.1 The mailbox is busy, try again later",
    "blocked": "554 5.7.1 Message rejected as spam",
}
_REPLIES: Final[Mapping[str, str]] = {
    "EHLO": "250-standin\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES",
    "HELO": "250 standin",
    "MAIL": "250 2.1.0 OK",
    "NOOP": "250 2.0.0 OK",
    "QUIT": "221 2.0.0 Bye",
    "RSET": "250 2.0.0 OK",
}
_ADDRESS: Final = re.compile(r"<([^<>]*)>")


class Mail(msgspec.Struct, frozen=True):
    """One accepted message."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


class Smtp:
    """`mails` are the accepted messages, `refused` the addresses that were not."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refused: list[str] = []
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="smtp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)


class _Server(socketserver.ThreadingTCPServer):
    """Holds the record of what came."""

    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, record: Smtp) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.record = record

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that was killed does not say goodbye."""


class _Session(socketserver.StreamRequestHandler):
    """One connection: RFC 5321's commands, as far as clients use them."""

    timeout = 30.0

    def setup(self) -> None:
        """Begin with an empty envelope."""
        super().setup()
        self._sender = ""
        self._recipients: list[str] = []

    def handle(self) -> None:
        """Answer line by line until QUIT or the end."""
        self._say("220 standin ESMTP ready")
        while line := self.rfile.readline(4096).decode("utf-8", "replace").strip():
            verb = line[:4].upper()
            self._say(self._reply(verb, line))
            if verb == "QUIT":
                return

    def _reply(self, verb: str, line: str) -> str:
        match verb:
            case "RSET":
                self._recipients.clear()
            case "MAIL":
                self._sender = _address(line)
                self._recipients.clear()
            case "RCPT":
                return self._recipient(_address(line))
            case "DATA":
                return self._data()
        return _REPLIES.get(verb, "502 5.5.2 Command not recognised")

    def _recipient(self, address: str) -> str:
        for word, refusal in REFUSALS.items():
            if address.startswith(word):
                self._record.refused.append(address)
                return refusal
        self._recipients.append(address)
        return "250 2.1.5 OK"

    def _data(self) -> str:
        if not self._recipients:
            return "503 5.5.1 No valid recipients"
        self._say("354 End data with <CR><LF>.<CR><LF>")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b".\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self._record.mails.append(Mail(self._sender, tuple(self._recipients), b"".join(lines)))
        return "250 2.0.0 OK: queued"

    @property
    def _record(self) -> Smtp:
        assert isinstance(self.server, _Server)
        return self.server.record

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


def start() -> Smtp:
    """Start it on a free port."""
    return Smtp()


def _address(line: str) -> str:
    found = _ADDRESS.search(line)
    return found[1] if found else line.partition(":")[2].strip()
