import threading

import pytest
from opentelemetry import context

from otel_guard.runtime.suppression import KEYS, is_sending, sending


def test_what_we_send_is_marked_for_all_and_only_inside() -> None:
    with sending():
        with sending():
            pass
        assert is_sending()
        assert all(context.get_value(key) for key in KEYS)

    assert not is_sending()
    assert not any(context.get_value(key) for key in KEYS)


def test_a_failure_leaves_the_context_as_it_was() -> None:
    with pytest.raises(ValueError, match="x"), sending():
        raise ValueError("x")

    assert not is_sending()


def test_other_threads_are_not_marked() -> None:
    seen: list[bool] = []
    with sending():
        thread = threading.Thread(target=lambda: seen.append(is_sending()))
        thread.start()
        thread.join()

    assert seen == [False]
