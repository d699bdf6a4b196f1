"""redis: contrib's spans, one a command or pipeline, without keys and values, with their duration."""

import re
import sys
from collections.abc import Callable
from typing import Final

from otel_guard.core import redis_command, semconv
from otel_guard.core.outcome import Outcome
from otel_guard.instrumentation._engine import Adopt, Instrumentation, Services
from otel_guard.instrumentation._engine_database import cancelled
from otel_guard.instrumentation._engine_driver import adopted
from otel_guard.instrumentation._engine_driver_spans import Driver
from otel_guard.runtime.text import safe_text

_TEXT_LIMIT: Final = 2_000
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{2,31}(?= )")
# A pipeline's error quotes its command, an unknown command's its arguments.
_PIPELINE: Final = re.compile(r"Command # (\d+) \(.*\) of pipeline caused error: ", re.DOTALL)
_ARGUMENTS: Final = re.compile(r",? with args beginning with:.*|(?<=unknown command ).*", re.DOTALL)
# By the names of classes, most telling first.
_CLASSES: Final[dict[str, str]] = {
    "AuthenticationError": "auth",
    "AuthorizationError": "auth",
    "NoPermissionError": "auth",
    "ExternalAuthProviderError": "auth",
    "MaxConnectionsError": "quota",
    "OutOfMemoryError": "quota",
    "TimeoutError": "timeout",
    "BusyLoadingError": "server",
    "ClusterDownError": "server",
    "ReadOnlyError": "config",
    "TryAgainError": "contention",
    "ExecAbortError": "client",
    "LockError": "contention",
    "ConnectionError": "connection",
    "RedisClusterException": "connection",
    "ResponseError": "client",
    "DataError": "client",
}


def judge(raised: BaseException) -> Outcome:
    """What *raised* says; no key and no value."""
    if (ended := cancelled(raised)) is not None:
        return ended
    names = [kind.__name__ for kind in type(raised).__mro__]
    error_class = next((_CLASSES[name] for name in names if name in _CLASSES), "unknown")
    text = safe_text(raised, _TEXT_LIMIT)
    shown = _ARGUMENTS.sub("", _PIPELINE.sub(r"Command # \1 of pipeline caused error: ", text))
    said = _CODE.match(_PIPELINE.sub("", text)) if "ResponseError" in names else None
    attributes = {semconv.DB_RESPONSE_STATUS_CODE: said.group()} if said is not None else {}
    return Outcome("failed", names[0], error_class, attributes, shown.strip() if shown != text else None)


def adopt(services: Services) -> Callable[[], None] | None:
    """Start contrib's instrumentor."""
    return adopted("opentelemetry.instrumentation.redis", "RedisInstrumentor", DRIVER, services)


def measures_itself() -> bool:
    """Whether redis-py's own metrics are on: then ours would be a second one."""
    own = sys.modules.get("redis.observability.providers")
    return own is not None and bool(own.get_observability_instance().is_enabled())


DRIVER: Final = Driver(
    name="redis",
    system="redis",
    context="cache",
    digest=redis_command.digest,
    judge=judge,
    is_measured=lambda: not measures_itself(),
)
REDIS: Final = Instrumentation(
    name="redis",
    requires="redis >= 3",
    context="cache",
    system="redis",
    targets=(
        Adopt(
            module="redis",
            adopt=adopt,
            needs=(("redis.client", "Redis.execute_command"), ("redis.client", "Pipeline.execute")),
        ),
    ),
)
