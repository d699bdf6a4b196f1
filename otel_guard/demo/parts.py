"""The parts of the demo: where traces go, the stand-ins, the shop under `otel-guard run`."""

import fcntl
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol
from urllib.error import URLError
from urllib.request import urlopen

import msgspec

from otel_guard.core.exceptions import OtelGuardError
from otel_guard.demo import collector
from otel_guard.demo.processes import Child, environment, script, tail
from otel_guard.demo.standins import openai, otlp, sentry, slack, smtp, stripe
from otel_guard.demo.watching import write_config
from otel_guard.runtime.clock import Clock

READY_LIMIT_S: Final = 40.0
POLL_S: Final = 0.1
WORKERS: Final = 2
_TRACE_ID: Final = re.compile(rb'"traceId":"([0-9a-f]{32})"')


class ShopError(OtelGuardError):
    """The shop did not start."""


class Traces(Protocol):
    """Where the shop's spans go."""

    name: str
    endpoint: str

    def ids(self) -> set[str]:
        """Trace ids that arrived."""
        ...

    def stop(self) -> object:
        """End it."""
        ...


class CollectorTraces:
    """The real Collector, which writes the traces that it keeps into a file."""

    name = "Collector"

    def __init__(self, binary: Path, folder: Path, log: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / "traces.jsonl").resolve()
        self.file.unlink(missing_ok=True)
        self._running = collector.start(
            binary,
            collector.files() / "otel-config.yaml",
            env={
                "OTEL_GUARD_COLLECTOR_DIR": str(folder.resolve()),
                "OTEL_GUARD_COLLECTOR_FILE": str(self.file),
                "OTEL_GUARD_TRACES_TO": "[file/demo]",
            },
            log_path=log,
            overlays=[collector.files() / "demo-overlay.yaml"],
        )
        self.endpoint = f"http://127.0.0.1:{self._running.otlp_port}"

    def ids(self) -> set[str]:
        """Trace ids in the file."""
        written = self.file.read_bytes() if self.file.exists() else b""
        return {found.decode() for found in _TRACE_ID.findall(written)}

    def stop(self) -> object:
        """End the Collector."""
        return self._running.stop()


class CountedTraces:
    """The counter, where no Collector can be had."""

    name = "OTLP counter, as no Collector can be had"

    def __init__(self, record: Path) -> None:
        record.unlink(missing_ok=True)
        self._counter = otlp.start(record)
        self.endpoint = self._counter.url

    def ids(self) -> set[str]:
        """Trace ids that were counted."""
        return set(self._counter.traces)

    def stop(self) -> None:
        """End the counter."""
        self._counter.stop()


class StandIns(msgspec.Struct, frozen=True):
    """The services that a shop calls, and Slack."""

    stripe: stripe.Stripe
    openai: openai.OpenAI
    smtp: smtp.Smtp
    sentry: sentry.Sentry
    slack: slack.Slack

    def stop(self) -> None:
        """End them."""
        for part in (self.stripe, self.openai, self.smtp, self.sentry, self.slack):
            part.stop()


class Shop:
    """The example shop under gunicorn, watched by `otel-guard run` or bare."""

    def __init__(self, *, env: Mapping[str, str], port: int, log: Path, is_watched: bool = True) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"
        server = [script("gunicorn"), "-w", str(WORKERS), "--threads", "4", "--graceful-timeout", "5"]
        server += ["-c", str(_without_control_socket(log.with_name("gunicorn.conf.py")))]
        watch = [script("otel-guard"), "run", "--"] if is_watched else []
        command = [*watch, *server, "-b", f"127.0.0.1:{port}", "app:app"]
        self._child = Child(command, env=env, cwd=example(), log=log)

    @property
    def workers(self) -> list[int]:
        """The process ids of gunicorn's workers."""
        return self._child.children()

    def await_ready(self, clock: Clock) -> None:
        """Wait until it shows its first page and has all its workers."""
        deadline = clock.monotonic() + READY_LIMIT_S
        while clock.monotonic() < deadline and self._child.is_running:
            if len(self.workers) == WORKERS and self._answers():
                return
            clock.sleep(POLL_S)
        raise ShopError(
            f"the shop did not start, see {self._child.log_path}; it ended with:\n{tail(self._child.log_path)}"
        )

    def stop(self) -> None:
        """End it."""
        self._child.stop()

    def _answers(self) -> bool:
        try:
            with urlopen(self.url, timeout=10) as page:
                return bool(page.status)
        except (URLError, OSError):
            return False


def start_stand_ins() -> StandIns:
    """Start them all."""
    return StandIns(stripe.start(), openai.start(), smtp.start(), sentry.start(), slack.start())


def shop_environment(dsn: str, traces: Traces, others: StandIns, folder: Path) -> dict[str, str]:
    """What the shop and otel-guard are told: all by the environment."""
    return environment(
        {
            "DATABASE_URL": dsn,
            "STRIPE_API_BASE": others.stripe.url,
            "STRIPE_API_KEY": "sk_" + "test_standin",
            "OPENAI_BASE_URL": others.openai.url,
            "OPENAI_API_KEY": "standin",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(others.smtp.port),
            "SHOP_LABS": "1",
            "XDG_CONFIG_HOME": str((folder / "config").resolve()),  # where stripe keeps an id of this machine
            "OTEL_GUARD_DSN": dsn,
            "OTEL_GUARD_JOURNAL_DIR": str((folder / "journal").resolve()),
            "OTEL_GUARD_ENVIRONMENT": "demo",
            "OTEL_GUARD_CONFIG": str(write_config(folder)),
            "SLACK_WEBHOOK_URL": others.slack.url,
            "SENTRY_DSN": others.sentry.dsn,
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "1000",
        }
    )


def example() -> Path:
    """The folder of the shop: the wheel's copy, else the checkout's."""
    here = Path(__file__).resolve()
    for folder in (here.parent / "flask_checkout", here.parents[2] / "examples" / "flask_checkout"):
        if (folder / "app.py").is_file():
            return folder
    raise ShopError("examples/flask_checkout is missing: reinstall otel-guard, or run from a checkout")


@contextmanager
def alone(folder: Path) -> Iterator[Path]:
    """Empty *folder* of an earlier run's files and give the folder for logs; ShopError while another demo uses it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ShopError(f"another demo runs in {folder}: end it, or give --folder") from error
        yield _emptied(folder)


def free_port() -> int:
    """A port of loopback that nothing uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _emptied(folder: Path) -> Path:
    for name in ("journal", "collector", "config", "logs"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    (folder / ".gitignore").write_text("*\n")
    return folder / "logs"


def _without_control_socket(config: Path) -> Path:
    """A configuration file, as older gunicorns refuse the flag: the socket would lie in the home folder."""
    config.write_text("control_socket_disable = True\n")
    return config.resolve()
