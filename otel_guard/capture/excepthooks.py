"""What nobody caught: excepthooks of the process and of threads, chained with those that are there."""

import sys
import threading
from types import TracebackType
from typing import Final

from otel_guard.capture.entrances import Entrances
from otel_guard.runtime.failsafe import Failsafe

_NO_FAILURE: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)


class Excepthooks:
    """Installed once, restored if outermost, else passing through."""

    def __init__(self, entrances: Entrances, failsafe: Failsafe) -> None:
        self._entrances = entrances
        self._failsafe = failsafe
        self._process = sys.excepthook
        self._thread = threading.excepthook
        self._is_on = False

    def install(self) -> None:
        """Begin; twice is once."""
        if self._is_on:
            return
        self._process, self._thread, self._is_on = sys.excepthook, threading.excepthook, True
        sys.excepthook = self._on_process
        threading.excepthook = self._on_thread

    def uninstall(self) -> None:
        """Restore."""
        self._is_on = False
        if sys.excepthook == self._on_process:
            sys.excepthook = self._process
        if threading.excepthook == self._on_thread:
            threading.excepthook = self._thread

    def _on_process(self, kind: type[BaseException], exc: BaseException, tb: TracebackType | None) -> None:
        if self._is_on and not isinstance(exc, _NO_FAILURE):
            with self._failsafe("excepthook"):
                self._entrances.left_process(exc, "high")
        self._process(kind, exc, tb)

    def _on_thread(self, args: threading.ExceptHookArgs) -> None:
        if self._is_on and args.exc_value is not None and not isinstance(args.exc_value, _NO_FAILURE):
            with self._failsafe("excepthook"):
                self._entrances.left_process(args.exc_value, "medium")
        self._thread(args)
