"""The services that the applications call, and a Sentry that keeps whole events."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from otel_guard.demo.processes import environment
from otel_guard.demo.standins import openai, sentry, smtp, stripe
from otel_guard.demo.standins._http import Request, Response, Running, as_json, serve

LIMIT_S = 60


class KeepingSentry(sentry.Sentry):
    """The stand-in, with each event as it came."""

    def __init__(self) -> None:
        self.whole: list[dict[str, Any]] = []
        super().__init__()

    def _answer(self, request: Request) -> Response:
        for line in request.body.splitlines():
            if line.startswith(b"{") and b'"exception"' in line:
                self.whole.append(json.loads(line))
        return super()._answer(request)


class Services:
    """Stripe, OpenAI, SMTP and an HTTP service that is broken."""

    def __init__(self) -> None:
        self.stripe = stripe.start()
        self.openai = openai.start()
        self.smtp = smtp.start()
        self.broken: Running = serve(lambda _: as_json(500, {"error": "out of order"}))

    def stop(self) -> None:
        for part in (self.stripe, self.openai, self.smtp, self.broken):
            part.stop()


class Ended:
    """A process that ended."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def said(self, word: str) -> list[str]:
        """What follows *word* on its lines of stdout."""
        return [line.removeprefix(f"{word} ") for line in self.out.splitlines() if line.startswith(f"{word} ")]


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    started = Services()
    yield started
    started.stop()


@pytest.fixture
def sentry_server() -> Iterator[KeepingSentry]:
    server = KeepingSentry()
    yield server
    server.stop()


@pytest.fixture
def env(dsn: str, services: Services, sentry_server: KeepingSentry, tmp_path: Path) -> dict[str, str]:
    """What an application and otel-guard are told; no Collector."""
    return told(dsn, services, sentry_server, tmp_path)


def told(dsn: str, services: Services, sentry_server: KeepingSentry, folder: Path) -> dict[str, str]:
    """The environment of a process that is watched, its journal below *folder*."""
    return environment(
        {
            "DATABASE_URL": dsn,
            "STRIPE_API_BASE": services.stripe.url,
            "STRIPE_API_KEY": "sk_" + "test_standin",
            "OPENAI_BASE_URL": services.openai.url,
            "OPENAI_API_KEY": "standin",
            "SMTP_PORT": str(services.smtp.port),
            "BROKEN_URL": f"{services.broken.url}/stock",
            "OTEL_GUARD_DSN": dsn,
            "OTEL_GUARD_JOURNAL_DIR": str(folder / "journal"),
            "SENTRY_DSN": sentry_server.dsn,
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
        }
    )


def run(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> Ended:
    """Run *command* to its end."""
    return Ended(
        subprocess.run(command, env=dict(env), cwd=cwd, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    )


def python(script: Path, *arguments: str, env: Mapping[str, str], cwd: Path) -> Ended:
    """Run a script of ours with this Python."""
    return run([sys.executable, str(script), *arguments], env, cwd)
