"""A daemon thread that runs a step again and again."""

import queue
import threading
from collections.abc import Callable

from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.suppression import sending

AFTER_FAULT_S = 1.0


class Worker:
    """One thread; after a fork the child makes its own."""

    def __init__(self, name: str, step: Callable[[], float], *, failsafe: Failsafe) -> None:
        """*step* returns how many seconds to wait for a wake before it runs again."""
        self._name = name
        self._step = step
        self._failsafe = failsafe
        self._wakes: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the thread; RuntimeError where the interpreter or the system allows none."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"otel-guard-{self._name}", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs in this process."""
        return self._thread is not None and self._thread.is_alive()

    def wake(self) -> None:
        """Run the step soon; re-entrant, so safe in signal handlers and `__del__`."""
        self._wakes.put(True)

    def stop(self, timeout_s: float) -> bool:
        """Let the running step end and wait for it; False: it did not end in time."""
        self._stopping = True
        self.wake()
        if self._thread is None or self._thread is threading.current_thread():
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with sending():
            while not self._stopping:
                wait_s = AFTER_FAULT_S
                with self._failsafe(f"thread {self._name}"):
                    wait_s = self._step()
                self._wait(wait_s)

    def _wait(self, seconds: float) -> None:
        try:
            self._wakes.get(timeout=max(seconds, 0.001))
            while True:
                self._wakes.get_nowait()
        except queue.Empty:
            return
