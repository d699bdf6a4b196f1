"""Pages from templates, with the headers that every answer has."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec import Struct
from werkzeug import Response

FOLDER: Final = Path(__file__).parent
CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_AGES: Final = ((172_800, 86_400, "d"), (7200, 3600, "h"), (60, 60, "min"))
_STYLE_S: Final = 86_400


class Page(Struct, frozen=True, kw_only=True):
    """What a template is filled with."""

    template: str
    values: Mapping[str, object] = {}
    status: int = 200
    headers: Mapping[str, str] = {}


class Pages:
    """The templates and the style, read once."""

    def __init__(self) -> None:
        loader = FileSystemLoader(FOLDER / "templates")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.filters |= {"ago": ago, "moment": moment, "number": number}
        self._style = (FOLDER / "static" / "style.css").read_bytes()
        self.version = hashlib.sha256(self._style).hexdigest()[:12]  # in the address of the style: kept for long

    def answer(self, page: Page, style: str, now: datetime) -> Response:
        """Render *page*; *style* is the address of the style."""
        values = {"style": f"{style}?v={self.version}", "now": now, **page.values}
        text = self._templates.get_template(page.template).render(values)
        made = Response(text, status=page.status, content_type="text/html; charset=utf-8")
        made.headers.update({**HEADERS, "Cache-Control": "no-store", **page.headers})
        return made

    def style(self) -> Response:
        """The style sheet."""
        made = Response(self._style, content_type="text/css; charset=utf-8")
        made.headers.update({**HEADERS, "Cache-Control": f"public, max-age={_STYLE_S}"})
        return made


def ago(at: datetime, now: datetime) -> str:
    """`just now`, `4 min ago`, `3 h ago`, `5 d ago`."""
    seconds = int((now - at).total_seconds())
    return next((f"{seconds // unit} {name} ago" for least, unit, name in _AGES if seconds >= least), "just now")


def moment(at: datetime) -> str:
    """In full, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def number(value: float) -> str:
    """Without noise: 37, 0.05."""
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"
