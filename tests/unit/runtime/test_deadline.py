import socket

import pytest

from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.deadline import socket_deadline


def test_a_frozen_peer_is_cut_at_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        began = SYSTEM.monotonic()
        with socket_deadline(ours.fileno(), 0.1):
            assert ours.recv(1) == b""

        assert 0.05 < SYSTEM.monotonic() - began < 5


def test_in_time_nothing_is_cut() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with socket_deadline(ours.fileno(), 60.0):
            theirs.send(b"x")
            assert ours.recv(1) == b"x"
        theirs.send(b"y")

        assert ours.recv(1) == b"y"


def test_the_bodys_failure_passes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(ValueError, match="x"), socket_deadline(ours.fileno(), 60.0):
        raise ValueError("x")
