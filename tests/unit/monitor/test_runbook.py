from pathlib import Path

import pytest

from otel_guard.monitor.runbook import for_rule, of_rule, parse, runbooks

PATH = Path("ops/runbooks/unshipped.md")
TEXT = """---
id: unshipped
rules: [unshipped, "late"]
severity: high
owner: 'shop'
---
# Paid orders are not shipped

1. not a step

## What you see

{{evidence.queues}} {{ evidence.top_errors }} {{evidence.queues}}

## Steps

1. **Is it `up`?**

   1. indented: no step of its own
   ```console
1. in a block of code
   ```
2. Start it.

## When it is over

3. Not a step either.
"""


def write(folder: Path, name: str, text: str) -> None:
    (folder / "ops" / "runbooks").mkdir(parents=True, exist_ok=True)
    (folder / "ops" / "runbooks" / name).write_text(text, encoding="utf-8")


def test_front_matter_title_steps_and_evidence_are_read() -> None:
    made = parse(TEXT, PATH)

    assert made is not None
    assert (made.id, made.title, made.rules) == ("unshipped", "Paid orders are not shipped", ("unshipped", "late"))
    assert (made.severity, made.owner) == ("high", "shop")
    assert made.steps == ("1. Is it up?", "2. Start it.")
    assert made.evidence == ("queues", "top_errors")
    assert not made.text.startswith("---")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_do_not_matter(newline: str) -> None:
    made = parse(TEXT.replace("\n", newline), PATH)

    assert made == parse(TEXT, PATH)


@pytest.mark.parametrize("text", ["", "# no head", "---\nrules: x\n---\n# no id", "---\nid: x\n# not closed"])
def test_what_has_no_id_is_no_runbook(text: str) -> None:
    assert parse(text, PATH) is None


def test_evidence_is_filled_and_what_is_missing_is_not_available() -> None:
    made = parse(TEXT, PATH)

    assert made is not None
    assert "4 {{evidence.top_errors}} not available 4 {{evidence.top_errors}}" in made.filled(
        {"queues": "4 {{evidence.top_errors}}"}
    )


def test_a_long_step_is_cut() -> None:
    made = parse("---\nid: x\n---\n## Steps\n1. " + "a" * 200, PATH)

    assert made is not None
    assert [len(step) for step in made.steps] == [150]


def test_a_runbook_of_the_application_replaces_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "mine.md", TEXT.replace("id: unshipped", "id: high-error-rate").replace("late", "error_burst"))

    assert runbooks()["high-error-rate"].title == "Paid orders are not shipped"
    assert for_rule("error_burst") == ("high-error-rate", ("1. Is it up?", "2. Start it."))


def test_a_rule_goes_to_the_applications_runbook_before_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "z.md", TEXT.replace("late", "error_burst"))
    write(tmp_path, "broken.md", "no head")
    (tmp_path / "ops" / "runbooks" / "binary.md").write_bytes(b"\xff\xfe\x00")

    assert for_rule("error_burst")[0] == "unshipped"
    assert for_rule("error_rate")[0] == "high-error-rate"


def test_an_unknown_rule_has_no_runbook() -> None:
    assert for_rule("no such rule") == (None, ())
    assert of_rule("no such rule") is None
