"""The dead-man ping: an outside service alarms when it stops."""

from collections.abc import Callable
from typing import Final

from otel_guard.runtime.http import NoAnswerError, post

LIMIT_S: Final = 10.0
WRONG: Final = 400


def ping(url: str | None, say: Callable[[str], None]) -> bool:
    """Post to *url*, which is never shown; True: it answered well, or there is none to ping."""
    if url is None:
        return True
    try:
        status = post(url, b"", {"Content-Type": "text/plain"}, LIMIT_S).status
    except NoAnswerError as error:
        say(f"the dead-man ping did not arrive ({error}): check deadman_url")
        return False
    if status >= WRONG:
        say(f"the dead-man ping was refused with {status}: check deadman_url")
        return False
    return True
