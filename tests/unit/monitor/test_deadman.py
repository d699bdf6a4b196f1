from collections.abc import Iterator

import pytest

from otel_guard.demo.standins._http import Request, Response, Running, serve
from otel_guard.monitor.deadman import Deadman


class Outside:
    """The service that alarms when no ping comes."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[tuple[str, str]] = []
        self.server: Running = serve(self._answer)
        self.url = f"{self.server.url}/ping/secret-id"

    def _answer(self, request: Request) -> Response:
        self.asked.append((request.method, request.path))
        return Response(self.status, b"", {"Location": "/elsewhere"})


@pytest.fixture
def outside() -> Iterator[Outside]:
    found = Outside()
    yield found
    found.server.stop()


def test_it_pings_and_says_nothing(outside: Outside) -> None:
    said: list[str] = []
    deadman = Deadman(said.append)
    deadman.ping(outside.url)

    assert (outside.asked, deadman.is_reached, said) == ([("POST", "/ping/secret-id")], True, [])


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_refusal_is_said_once_until_it_works_again_and_never_with_the_address(outside: Outside, status: int) -> None:
    said: list[str] = []
    deadman = Deadman(said.append)
    for outside.status in (status, status, 200, 200):
        deadman.ping(outside.url)

    assert said == [
        f"the dead-man ping was answered with {status}: check deadman_url",
        "the dead-man ping arrives again",
    ]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/secret-id", "nonsense secret-id", "http://[secret-id", ""])
def test_no_answer_is_no_fault(url: str) -> None:
    said: list[str] = []
    deadman = Deadman(said.append)
    deadman.ping(url)

    assert deadman.is_reached is False
    assert len(said) == 1
    assert "secret-id" not in said[0]


def test_without_an_address_there_is_nothing_to_reach() -> None:
    deadman = Deadman(lambda _line: pytest.fail("nothing to say"))
    deadman.ping(None)

    assert deadman.is_reached is None
