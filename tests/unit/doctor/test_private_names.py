import pytest

from otel_guard.doctor.private_names import exists
from otel_guard.runtime.private import NAMES


@pytest.mark.parametrize("name", [name for names in NAMES.values() for name, _ in names])
def test_each_private_name_is_there(name: str) -> None:
    pytest.importorskip(name.partition(".")[0])

    assert exists(name)


@pytest.mark.parametrize(
    "name",
    ["opentelemetry.sdk.trace.TracerProvider._gone", "opentelemetry.sdk.gone._x", "no_such_package.x", "json._x"],
)
def test_one_that_is_gone_is_found_missing(name: str) -> None:
    assert not exists(name)
