"""No exception of ours in the application: swallowed, counted, said once."""

import logging
import signal
from types import CodeType, TracebackType
from typing import Final

logger: Final = logging.getLogger("otel_guard")
_PASS: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)


class Failsafe:
    """Keep our faults to ourselves (reliability.md, P1)."""

    def __init__(self, *, strict: bool = False) -> None:
        """*strict*: raise all the same, for our own tests."""
        self.caught: dict[tuple[str, str], int] = {}
        self._strict = strict

    def __call__(self, where: str) -> "_Guarded":
        """A context manager that swallows what is ours."""
        return _Guarded(self, where)

    def swallow(self, where: str, exc: BaseException) -> bool:
        """Whether *exc* is ours and was swallowed; False: the application's signal handler or exit, raise it."""
        if self._strict or isinstance(exc, _PASS) or not isinstance(exc, Exception) or _from_signal_handler(exc):
            return False
        key = (where, type(exc).__name__)
        self.caught[key] = self.caught.get(key, 0) + 1
        if self.caught[key] == 1:
            _say(where, exc)
        return True


class _Guarded:
    """One guarded step."""

    __slots__ = ("_failsafe", "_where")

    def __init__(self, failsafe: Failsafe, where: str) -> None:
        self._failsafe = failsafe
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> bool:
        return exc is not None and self._failsafe.swallow(self._where, exc)


def _say(where: str, exc: Exception) -> None:
    try:
        logger.warning("otel-guard: %s failed (%s); the application is not affected", where, type(exc).__name__)
        logger.debug("otel-guard: %s", where, exc_info=exc)
    except Exception:
        # The application's logging is broken: the count in `caught` is all that is left.
        return


def _from_signal_handler(exc: BaseException) -> bool:
    """Whether a frame of *exc* runs an installed Python signal handler: Celery's time limit, gunicorn's abort."""
    tb, codes = exc.__traceback__, None
    while tb is not None:
        codes = _handler_codes() if codes is None else codes
        if tb.tb_frame.f_code in codes:
            return True
        tb = tb.tb_next
    return False


def _handler_codes() -> frozenset[CodeType]:
    codes = set()
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        while handler is not None and hasattr(handler, "__wrapped__"):
            handler = handler.__wrapped__
        handler = getattr(handler, "__func__", handler)
        if isinstance(code := getattr(handler, "__code__", None), CodeType):
            codes.add(code)
    return frozenset(codes)
