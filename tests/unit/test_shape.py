"""Sizes and shapes that every file of the package keeps."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "otel_guard"
FILES = [str(path.relative_to(ROOT)) for path in sorted(PACKAGE.rglob("*.py"))]
MOST_LINES = {"file": 300, "class": 150, "function": 60}
VAGUE = {"utils", "helpers", "common", "manager", "handler", "handlers", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def functions(file: str) -> Iterator[Function]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, Function))


def length(node: Function | ast.ClassDef) -> int:
    """From `def` to the last line; decorators are not counted."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_at_most_300_lines(file: str) -> None:
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= MOST_LINES["file"]


@pytest.mark.parametrize("file", FILES)
def test_a_class_is_at_most_150_lines(file: str) -> None:
    classes = (node for node in ast.walk(tree(file)) if isinstance(node, ast.ClassDef))

    assert {node.name: length(node) for node in classes if length(node) > MOST_LINES["class"]} == {}


@pytest.mark.parametrize("file", FILES)
def test_a_function_is_at_most_60_lines(file: str) -> None:
    assert {node.name: length(node) for node in functions(file) if length(node) > MOST_LINES["function"]} == {}


@pytest.mark.parametrize("file", FILES)
def test_a_module_docstring_is_one_sentence(file: str) -> None:
    said = ast.get_docstring(tree(file)) or ""

    assert said.endswith((".", "`"))
    assert "\n" not in said
    assert ". " not in said


@pytest.mark.parametrize("file", FILES)
def test_every_argument_and_result_is_typed(file: str) -> None:
    untyped = [node.name for node in functions(file) if node.returns is None or not all(annotated(node.args))]

    assert untyped == []


@pytest.mark.parametrize("file", FILES)
def test_imports_stand_at_the_top(file: str) -> None:
    inside = [ast.unparse(node) for each in functions(file) for node in ast.walk(each) if is_import(node)]

    assert inside == []


@pytest.mark.parametrize("file", [file for file in FILES if file != "otel_guard/__init__.py"])
def test_nothing_is_imported_for_types_only(file: str) -> None:
    assert "TYPE_CHECKING" not in {node.id for node in ast.walk(tree(file)) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_named_after_its_noun(file: str) -> None:
    assert not VAGUE & set(Path(file).with_suffix("").name.split("_"))


@pytest.mark.parametrize("file", [file for file in FILES if "/instrumentation/" in file and "/_" not in file])
def test_a_watched_library_is_a_table_of_targets(file: str) -> None:
    if Path(file).stem == "watch":
        return
    constants = {name.id for node in tree(file).body for name in ast.walk(node) if isinstance(name, ast.Name)}

    assert any(name.isupper() for name in constants)


@pytest.mark.parametrize("file", [file for file in FILES if "/cli/" in file and "/_" not in file])
def test_a_command_is_one_function_named_command(file: str) -> None:
    assert "command" in {node.name for node in tree(file).body if isinstance(node, Function)}


def annotated(arguments: ast.arguments) -> Iterator[bool]:
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return (each.annotation is not None for each in plain if each is not None and each.arg not in {"self", "cls"})


def is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)
