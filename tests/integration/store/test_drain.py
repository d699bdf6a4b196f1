import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from otel_guard.cli import execute
from otel_guard.core import codec
from otel_guard.core.record import Record
from otel_guard.journal.place import folder_name, prepare
from otel_guard.journal.writer import Writer
from otel_guard.store.dsn import target


@pytest.fixture
def leave(store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Leave a journal as a dead process does."""
    monkeypatch.setenv("OTEL_GUARD_DSN", store.dsn)
    monkeypatch.setenv("OTEL_GUARD_JOURNAL_DIR", str(tmp_path))
    monkeypatch.delenv("SENTRY_DSN", raising=False)

    def left(service: str, address: str, *records: Record) -> Path:
        folder = tmp_path / folder_name(service, target(address))
        prepare(folder)
        head = msgspec.structs.replace(store.batch().head, service=service, writer_id=records[0].id)
        writer = Writer(folder, head)
        for record in records:
            writer.append(codec.KINDS[type(record)], codec.encode(record))
        writer.close()
        return folder

    return left


def drained(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert execute(["drain", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_drain_takes_every_service_of_its_target_and_no_other(
    store: Any, leave: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    leave("shop", store.dsn, store.error(1), store.amendment(1, severity="high"))
    leave("jobs", store.dsn, store.error(2), store.error(3, message="\x00"))
    other = leave("shop", "postgresql://elsewhere/x", store.error(4))

    assert drained(capsys) == {
        "schema": "otel_guard.drain.v1", "journals": 2, "records": 4, "delivered": 3, "quarantined": 1, "dropped": 0, "left": 0,
    }  # fmt: skip
    assert store.query("SELECT service, severity FROM otel_guard.system_errors ORDER BY seq") == [
        {"service": "shop", "severity": "high"},
        {"service": "jobs", "severity": "medium"},
    ]
    assert list(other.glob("*.seg"))
    assert execute(["drain"]) == 0
    assert capsys.readouterr().out == "0 records, 0 left\n"


def test_drain_from_takes_any_folder(store: Any, leave: Any, capsys: pytest.CaptureFixture[str]) -> None:
    other = leave("shop", "postgresql://elsewhere/x", store.error(4))

    assert drained(capsys, "--from", str(other))["delivered"] == 1
    assert drained(capsys, "--from", str(other / "absent"), code=2)["do"] == "name one that holds journals (*.seg)"


def test_drain_without_postgres_is_exit_69_and_leaves_all(
    store: Any, leave: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = leave("shop", "postgresql://u@127.0.0.1:1/x", store.error(1))
    monkeypatch.setenv("OTEL_GUARD_DSN", "postgresql://u@127.0.0.1:1/x")

    assert "Connection refused" in drained(capsys, code=69)["problem"]
    assert list(folder.glob("*.seg"))
