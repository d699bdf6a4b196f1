"""Celery: contrib's spans of producers and tasks, and what they don't say: failures, retries, lost and revoked tasks."""

import sys
from collections.abc import Callable
from typing import Any, Final

from celery import signals
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.celery import utils
from opentelemetry.trace import Span, Status, StatusCode

from otel_guard.core import semconv
from otel_guard.core.outcome import Facts, Outcome
from otel_guard.instrumentation._celery_spans import (
    RUN,
    SEND,
    parent_of,
    record,
    start,
)
from otel_guard.instrumentation._engine import (
    Adopt,
    Instrumentation,
    Services,
    exception_type,
    find,
    instrumentor,
    unwrap,
    wrap,
)
