from hashlib import sha256
from pathlib import Path

import pytest

from otel_guard.journal.place import PlaceRefusedError, default_dir, folder_name, is_durable, prepare, waiting_room

TARGET = "localhost:5432/shop"
MOUNTS = """22 1 254:0 / / rw - ext4 /dev/vda rw
23 22 0:20 / /run rw - tmpfs tmpfs rw
24 22 0:21 / /data rw - overlay overlay rw
25 24 254:1 / /data/volume rw - ext4 /dev/vdb rw
26 22 0:22 / /a\\040b rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("service", "target", "expected"),
    [
        ("shop", TARGET, f"shop-{sha256(TARGET.encode()).hexdigest()[:8]}"),
        ("a/b c:é", "bad", "a_b_c__-00000000"),
        ("x" * 100, None, "x" * 64 + "-sentry"),
    ],
)
def test_a_folder_is_named_by_service_and_target(service: str, target: str | None, expected: str) -> None:
    assert folder_name(service, target) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("shop-12345678", "shop-00000000"), ("shop-00000000", None), ("shop-sentry", None)]
)
def test_records_of_an_unreadable_dsn_wait_next_door(name: str, expected: str | None) -> None:
    found = waiting_room(Path("/j") / name)

    assert (found.name if found else None) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/srv/x", True),
        ("/run/x", False),
        ("/data/x", False),
        ("/data/volume/x", True),
        ("/running", True),
        ("/a b/c", False),
    ],
)
def test_a_containers_own_disk_is_not_durable(path: str, expected: bool) -> None:
    assert is_durable(Path(path), MOUNTS) is expected


def test_the_state_directory_comes_first() -> None:
    assert default_dir({"STATE_DIRECTORY": "/s/one:/s/two"}) == Path("/s/one/otel_guard")


def test_a_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    prepare(folder)
    folder.chmod(0o755)
    prepare(folder)

    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(PlaceRefusedError, match="OTEL_GUARD_JOURNAL_DIR"):
        prepare(tmp_path / "link")
