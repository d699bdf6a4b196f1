"""The dead-man ping: an outside service alarms when it stops."""

from collections.abc import Callable
from typing import Final

from otel_guard.runtime.http import NoAnswerError, post
from otel_guard.settings.table import is_web_address

LIMIT_S: Final = 10.0
REDIRECTED: Final = 300


class Deadman:
    """Pings, and says when that begins to fail and when it works again; the address is never shown."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.is_reached: bool | None = None  # None: there was nothing to ping yet
        self._say = say

    def ping(self, url: str | None) -> None:
        """Post to *url*, if there is one."""
        if url is None:
            self.is_reached = None
            return
        problem = _problem(url)
        was_reached, self.is_reached = self.is_reached, problem is None
        if problem is not None and was_reached is not False:
            self._say(f"{problem}: check deadman_url")
        if problem is None and was_reached is False:
            self._say("the dead-man ping arrives again")


def _problem(url: str) -> str | None:
    if not is_web_address(url):
        return "the dead-man ping has no http or https address"
    try:
        status = post(url, b"", {"Content-Type": "text/plain"}, LIMIT_S).status
    except NoAnswerError as error:
        return f"the dead-man ping did not arrive ({error})"
    return f"the dead-man ping was answered with {status}" if status >= REDIRECTED else None
