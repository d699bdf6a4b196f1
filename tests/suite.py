"""Runs the named test folders one after the other and shows what each took of its budget."""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

TESTS: Final = Path(__file__).parent
BUDGET_S: Final = {"unit": 90, "integration": 600, "faults": 480, "acceptance": 300}  # 25 minutes on 2 cores, with room
NO_TESTS: Final = 5
COUNTED: Final = {"failures": "failed", "errors": "errors", "skipped": "skipped"}


class Ran(NamedTuple):
    """One folder's outcome."""

    folder: str
    seconds: float
    code: int
    counts: Counter[str]


def main(folders: Sequence[str]) -> int:
    """Run *folders*; 1 if a test failed."""
    ran = [_run(folder) for folder in folders if any((TESTS / folder).rglob("test_*.py"))]
    total: Counter[str] = sum((each.counts for each in ran), Counter())
    failed = [each.folder for each in ran if each.code not in (0, NO_TESTS)]
    print(f"\n{'folder':<14}{'seconds':>8}{'budget':>8}")
    for each in ran:
        print(f"{each.folder:<14}{each.seconds:>8.0f}{BUDGET_S[each.folder]:>8}{_remark(each)}")
    said = ", ".join(f"{total[word]} {word}" for word in ("failed", "errors", "passed", "skipped") if total[word])
    print(f"\n===== {said or 'no tests ran'} in {sum(each.seconds for each in ran):.2f}s =====", flush=True)
    return 1 if failed or not total["passed"] else 0


def _run(folder: str) -> Ran:
    print(f"\n--- tests/{folder}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        report, began = Path(scratch) / "report.xml", time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-rs", f"--junitxml={report}", str(TESTS / folder)]
        code = subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode
        return Ran(folder, time.monotonic() - began, code, _counts(report))


def _counts(report: Path) -> Counter[str]:
    if not report.exists():  # pytest itself ended early
        return Counter(errors=1)
    suite = ET.parse(report).getroot()[0].attrib
    counts = Counter({word: int(suite[name]) for name, word in COUNTED.items()})
    counts["passed"] = int(suite["tests"]) - counts.total()
    return counts


def _remark(ran: Ran) -> str:
    failed = "  failed" if ran.code not in (0, NO_TESTS) else ""
    return failed + ("  over its budget" if ran.seconds > BUDGET_S[ran.folder] else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
