"""Log records that reach OTel's logs SDK: what `logging` did not bring, once."""

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[..., list[dict[str, Any]]]

HEAD = """
import logging, time
import otel_guard
from opentelemetry import _logs
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
_logs.set_logger_provider(LoggerProvider())
otel_guard.configure()
logger = _logs.get_logger("shop.events")
"""
FAIL = """
try:
    {}["price"]
except KeyError as error:
    logger.emit(LogRecord(severity_number=SeverityNumber.%s, severity_text="%s", body="no price", %s))
"""


@pytest.mark.parametrize(("level", "severity"), [("ERROR", "medium"), ("FATAL", "high")])
@pytest.mark.parametrize("given", ["exception=error", 'attributes={"exception.type": "KeyError"}'])
def test_a_record_with_an_exception_is_one_row_with_its_stack(
    play: Play, level: str, severity: str, given: str
) -> None:
    (row,) = play(FAIL % (level, level, given), head=HEAD)

    assert (row["error_type"], row["severity"], row["handled"]) == ("KeyError", severity, True)
    assert row["metadata"]["logged"] == {"logger": "shop.events", "level": level, "message": "no price"}
    assert "KeyError: 'price'" in row["stack_trace"]


def test_a_record_that_only_names_an_exception_is_a_row_without_stack(play: Play) -> None:
    record = 'attributes={"exception.type": "PaymentError", "exception.message": "no answer"}'
    (row,) = play(f"logger.emit(LogRecord(severity_number=SeverityNumber.ERROR, body='b', {record}))", head=HEAD)

    assert (row["error_type"], row["message"], row["stack_trace"]) == ("PaymentError", "no answer", None)


@pytest.mark.parametrize("given", ["severity_number=SeverityNumber.WARN, exception=error", "severity_number=None"])
def test_what_is_no_error_is_no_row(play: Play, given: str) -> None:
    program = f"error = ValueError()\nlogger.emit(LogRecord(body='b', {given}))"

    assert play(program, head=HEAD) == []
