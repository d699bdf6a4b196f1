"""Slack's incoming webhook: it keeps the messages, refuses what Slack's limits refuse, and can be told to fail."""

import json
import threading
from typing import Any, Final

import msgspec

from otel_guard.demo.standins._http import Request, Response, serve
from otel_guard.runtime.clock import SYSTEM

PATH: Final = "/services/T0000/B0000/demo"
HANG_S: Final = 60.0
MOST_BLOCKS: Final = 50
MOST_FIELDS: Final = 10
MOST_ELEMENTS: Final = 25
LARGEST: Final = 10_000  # all text of a message
HEADER, SECTION, FIELD, BUTTON, URL = 150, 3000, 2000, 75, 3000
NO_TEXT: Final = "no_text"
INVALID_PAYLOAD: Final = "invalid_payload"
INVALID_BLOCKS: Final = "invalid_blocks"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message that was taken; `at_ms` is when its request was read."""

    at_ms: int
    text: str
    colour: str | None
    blocks: list[dict[str, Any]]

    @property
    def shown(self) -> str:
        """All that a reader sees, a line a text."""
        return "\n".join((self.text, *texts(self.blocks)))


class Refusal(msgspec.Struct, frozen=True):
    """What it says instead of taking a message; `after` becomes Retry-After."""

    status: int
    word: str = ""
    after: str | None = None


class Slack:
    """`messages` is everything that was taken; `refused` the words of what was not."""

    def __init__(self, port: int = 0) -> None:
        self.messages: list[Message] = []
        self.refused: list[str] = []
        self._refusal: Refusal | None = None
        self._is_picky = False
        self._is_hanging = False
        self._released = threading.Event()
        self._running = serve(self._answer, port)
        self.port = self._running.port
        self.url = self._running.url + PATH

    def refuse(self, status: int, word: str = "", after: int | str | None = None) -> None:
        """Answer *status* and *word* from now on, until `accept`: 429 with *after*, 403 invalid_token, 404 no_service."""
        self._refusal = Refusal(status, word, None if after is None else str(after))

    def refuse_blocks(self) -> None:
        """Take plain text only, until `accept`."""
        self._is_picky = True

    def hang(self) -> None:
        """Take requests and say nothing, until `accept`."""
        self._released.clear()
        self._is_hanging = True

    def accept(self) -> None:
        """Take messages again; who hangs gets 503."""
        self._refusal, self._is_picky, self._is_hanging = None, False, False
        self._released.set()

    def stop(self) -> None:
        """Take no more requests."""
        self.accept()
        self._running.stop()

    def _answer(self, request: Request) -> Response:
        at_ms = SYSTEM.now_ms()
        if request.method != "POST" or request.path != PATH:
            return _said(404, "no_service")
        if self._is_hanging:
            self.refused.append("hang")
            self._released.wait(HANG_S)
            return _said(503, "")
        if (refusal := self._refusal) is not None:
            self.refused.append(refusal.word or str(refusal.status))
            return _said(refusal.status, refusal.word, refusal.after)
        payload = _payload(request.body)
        why = fault(payload)
        if self._is_picky and ("attachments" in payload or "blocks" in payload):
            why = INVALID_BLOCKS
        if why is not None:
            self.refused.append(why)
            return _said(400, why)
        self.messages.append(_message(at_ms, payload))
        return _said(200, "ok")


def start(port: int = 0) -> Slack:
    """Start it, on a free port unless *port* says which; `url` is what `SLACK_WEBHOOK_URL` takes."""
    return Slack(port)


def fault(payload: dict[str, Any]) -> str | None:
    """Why Slack would refuse *payload*; None: it takes it."""
    if not payload:
        return INVALID_PAYLOAD
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        return NO_TEXT
    blocks = _blocks(payload)
    if blocks is None or len(blocks) > MOST_BLOCKS or not all(map(_is_block, blocks)):
        return INVALID_BLOCKS
    if sum(map(size, (text, *texts(blocks)))) > LARGEST:
        return INVALID_PAYLOAD
    return None


def texts(node: object) -> list[str]:
    """Every text below *node*."""
    if isinstance(node, list):
        return [text for each in node for text in texts(each)]
    if not isinstance(node, dict):
        return []
    own = [node["text"]] if isinstance(node.get("text"), str) else []
    return own + [text for value in node.values() for text in texts(value)]


def size(text: str) -> int:
    """Its length; a character beyond the basic plane counts twice, which no client of Slack undercuts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _blocks(payload: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Those of the message and of its attachments; None: not lists of objects."""
    attachments = payload.get("attachments", [])
    if not isinstance(attachments, list) or not all(isinstance(each, dict) for each in attachments):
        return None
    found: list[dict[str, Any]] = []
    for holder in (payload, *attachments):
        blocks = holder.get("blocks", [])
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            return None
        found += blocks
    return found


def _is_block(block: dict[str, Any]) -> bool:
    match block.get("type"):
        case "header":
            return _is_text(block.get("text"), HEADER, "plain_text")
        case "section":
            return _is_section(block)
        case "actions":
            elements = block.get("elements")
            return isinstance(elements, list) and 0 < len(elements) <= MOST_ELEMENTS and all(map(_is_button, elements))
        case "context":
            elements = block.get("elements")
            return (
                isinstance(elements, list)
                and 0 < len(elements) <= MOST_FIELDS
                and all(_is_text(element, SECTION) for element in elements)
            )
        case kind:
            return kind == "divider"


def _is_section(block: dict[str, Any]) -> bool:
    fields = block.get("fields")
    if fields is None:
        return _is_text(block.get("text"), SECTION)
    return (
        isinstance(fields, list)
        and 0 < len(fields) <= MOST_FIELDS
        and all(_is_text(field, FIELD) for field in fields)
        and ("text" not in block or _is_text(block["text"], SECTION))
    )


def _is_button(element: object) -> bool:
    if not isinstance(element, dict) or element.get("type") != "button":
        return False
    url = element.get("url", "https://")
    is_url = isinstance(url, str) and url.startswith(("https://", "http://")) and len(url) <= URL
    return is_url and _is_text(element.get("text"), BUTTON, "plain_text")


def _is_text(node: object, most: int, *kinds: str) -> bool:
    if not isinstance(node, dict) or node.get("type") not in (kinds or ("plain_text", "mrkdwn")):
        return False
    text = node.get("text")
    return isinstance(text, str) and 0 < size(text) <= most


def _message(at_ms: int, payload: dict[str, Any]) -> Message:
    colours = [attachment.get("color") for attachment in payload.get("attachments", [])]
    return Message(at_ms=at_ms, text=payload["text"], colour=next(iter(colours), None), blocks=_blocks(payload) or [])


def _said(status: int, word: str, after: str | None = None) -> Response:
    headers = {"Content-Type": "text/html"} | ({} if after is None else {"Retry-After": after})
    return Response(status, word.encode(), headers)
