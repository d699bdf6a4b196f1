import uuid

import pytest

from otel_guard.core.record import created_at_ms
from otel_guard.runtime.ids import uuid7


@pytest.mark.parametrize("now_ms", [0, 1_700_000_000_123, 2**48 - 1])
def test_an_id_is_a_uuid7_with_its_time(now_ms: int) -> None:
    text = uuid7(now_ms)

    assert str(uuid.UUID(text)) == text
    assert (uuid.UUID(text).version, uuid.UUID(text).variant) == (7, uuid.RFC_4122)
    assert created_at_ms(text) == now_ms


def test_ids_differ() -> None:
    assert len({uuid7(1) for _ in range(10_000)}) == 10_000
