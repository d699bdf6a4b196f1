import sys

import pytest

from otel_guard.core.exceptions import MissingExtraError
from otel_guard.dashboard.loading import load


def test_the_application_is_loaded() -> None:
    assert load().Application.__name__ == "Application"


@pytest.mark.parametrize("library", ["werkzeug", "jinja2"])
def test_a_missing_library_is_said_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    for name in [name for name in sys.modules if name.startswith(("otel_guard.dashboard.", library))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(MissingExtraError, match=rf"need {library}.*: pip install 'otel-guard\[dashboard\]'"):
        load()


def test_another_missing_module_is_no_missing_extra() -> None:
    with pytest.raises(ModuleNotFoundError):
        load("nowhere")
