"""One application server under test: started, asked, ended; and what came of each request."""

import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

from otel_guard.demo.processes import Child, script, tail
from otel_guard.runtime.clock import SYSTEM

READY_S = 40.0
POLL_S = 0.05
APPLICATION = Path(__file__).parent / "application"


@dataclass(frozen=True)
class Asked:
    """One request; status 0: cut before an answer."""

    path: str
    trace_id: str
    status: int
    pid: int


class Site:
    """gunicorn with two workers, or whatever *command* is, on a free port."""

    def __init__(self, before: Sequence[str], options: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        config = folder / "gunicorn.conf.py"
        config.write_text("control_socket_disable = True\n")
        server = [script("gunicorn"), "-c", str(config), "-b", f"127.0.0.1:{self.port}", "--graceful-timeout", "5"]
        self._child = Child([*before, *server, *options, "shop:app"], env=env, cwd=APPLICATION, log=folder / "site.log")

    @property
    def log(self) -> str:
        return self._child.log_path.read_text(errors="replace")

    def await_ready(self) -> None:
        wait_for(lambda: self.get("/").status == 200 or not self._child.is_running, READY_S, lambda: self.log)
        assert self._child.is_running, tail(self._child.log_path, 40)

    def get(self, path: str) -> Asked:
        """Ask for *path* in a trace of its own."""
        trace_id = secrets.token_hex(16)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"traceparent": f"00-{trace_id}-{'1' * 16}-01"})
            answer = connection.getresponse()
            answer.read()
            return Asked(path, trace_id, answer.status, int(answer.headers.get("X-Pid") or 0))
        except (OSError, HTTPException):
            return Asked(path, trace_id, 0, 0)
        finally:
            connection.close()

    def get_all(self, paths: Sequence[str]) -> list[Asked]:
        """Ask for all, four at a time."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(self.get, paths))

    def kill_a_worker(self) -> int:
        """SIGKILL one worker; its process id."""
        victim = self._child.children()[0]
        os.kill(victim, signal.SIGKILL)
        return victim

    def stop(self) -> None:
        self._child.stop()


class Traffic:
    """Requests that go on in the background until they are enough."""

    def __init__(self, site: Site, paths: Sequence[str]) -> None:
        self._site, self._paths = site, paths
        self._enough = threading.Event()
        self.asked: list[Asked] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(3)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def await_more(self, count: int) -> None:
        """Until *count* more requests have ended."""
        goal = len(self.asked) + count
        wait_for(lambda: len(self.asked) >= goal, 60.0, lambda: f"{len(self.asked)} of {goal} requests")

    def await_seconds(self, seconds: float) -> None:
        """Until traffic has gone on for *seconds*."""
        self._enough.wait(seconds)

    def _run(self, first: int) -> None:
        for path in _endless(self._paths, first):
            if self._enough.is_set():
                return
            self.asked.append(self._site.get(path))


def wait_for(is_so: object, seconds: float, why: object) -> None:
    """Until *is_so()*; *why()* says what was wrong at the deadline."""
    assert callable(is_so)
    assert callable(why)
    until = SYSTEM.monotonic() + seconds
    while not is_so():
        assert SYSTEM.monotonic() < until, why()
        SYSTEM.sleep(POLL_S)


def _endless(paths: Sequence[str], first: int) -> Iterator[str]:
    number = first
    while True:
        yield paths[number % len(paths)]
        number += 1
