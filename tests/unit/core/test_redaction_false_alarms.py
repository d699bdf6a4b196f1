"""The docstrings of what is installed: almost none of them holds a secret."""

import ast
import pathlib
import warnings
from collections.abc import Iterator

import msgspec
import pytest

from otel_guard.core.redaction import redact

LONGEST = 3_000_000
EXAMPLES = frozenset({"email", "url_password"})  # an address in a docstring is an address
SITE_PACKAGES = pathlib.Path(msgspec.__file__).parent.parent


def docstrings() -> Iterator[str]:
    """A few MB of them."""
    size = 0
    for path in sorted(SITE_PACKAGES.rglob("*.py")):
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError, OSError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                size += len(text)
                yield text
        if size > LONGEST:
            return


def test_docstrings_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [text for text in docstrings() if text]
    changed = [counts for text in texts if (counts := redact(text)[1])]
    alarms = [counts for counts in changed if not EXAMPLES.issuperset(counts)]

    size = sum(map(len, texts)) / 1e6
    with capsys.disabled():
        print(  # noqa: T201
            f"\nredaction: {len(changed)} of {len(texts)} docstrings ({size:.1f} MB) changed, {len(alarms)} but for addresses"
        )
    assert len(changed) <= len(texts) / 100
    assert len(alarms) <= len(texts) / 500
