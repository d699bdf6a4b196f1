"""What the file must never lose, read from the configuration as the binary resolves it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from otel_guard.core import semconv
from otel_guard.demo import collector
from otel_guard.settings.tree import Slow

CONFIG: Final = collector.files() / "otel-config.yaml"
TEXT: Final = CONFIG.read_text()
# Nothing in a card, an IBAN, an SSN or an e-mail address is always there; these four cost half of what all others do.
WITHOUT_LITERAL: Final = 4


@pytest.fixture(scope="module")
def config(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    command = [str(binary), "print-config", "--format=json", "--mode=unredacted", f"--config={CONFIG}"]
    folder = tmp_path_factory.mktemp("static")
    printed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=True).stdout
    found: dict[str, Any] = json.loads(printed)
    return found


def _types(config: dict[str, Any]) -> set[tuple[str, str]]:
    kinds = ("receivers", "processors", "exporters", "connectors", "extensions")
    return {(kind, name.split("/")[0]) for kind in kinds for name in config[kind]}


def test_the_manifest_has_exactly_what_the_config_names_by_current_names(binary: Path, config: dict[str, Any]) -> None:
    shown = subprocess.run([binary, "components"], capture_output=True, text=True, timeout=30, check=True).stdout
    has = re.findall(r"^(\w+):|^    - name: (\S+)\n      module: (\S+ \S+)$", shown, re.MULTILINE)
    kind, named, modules = "", set(), set()
    for section, name, module in has:
        kind = section or kind
        if name:
            named.add((kind, name))
            modules.add(module)
    gomods = set(re.findall(r"gomod: (\S+ \S+)", (CONFIG.parent / "builder.yaml").read_text()))
    providers = {each for each in gomods if "/confmap/provider/" in each}

    assert named == _types(config)
    assert modules == gomods - providers
    assert {each.rsplit("/", 1)[1] for each in providers} == {
        f"{one}provider v1.67.0" for one in ("env", "file", "yaml")
    }


def test_all_core_and_contrib_modules_have_one_version() -> None:
    gomods = re.findall(r"gomod: (\S+) (\S+)", (CONFIG.parent / "builder.yaml").read_text())

    assert {version for module, version in gomods if "/confmap/" not in module} == {"v0.161.0"}


def test_no_batch_processor_and_no_open_address(config: dict[str, Any]) -> None:
    hosts = re.findall(r"(?:endpoint|host): (?:http://)?(\S+?)(?::\d+)?$", TEXT, re.MULTILINE)

    assert "batch" not in {name.split("/")[0] for name in config["processors"]}
    assert "0.0.0.0" not in TEXT
    assert {host for host in hosts if "127.0.0.1" not in host} == set()


def test_every_pipeline_from_outside_refuses_first_and_redacts_before_it_cuts(config: dict[str, Any]) -> None:
    outside = {name: each for name, each in config["service"]["pipelines"].items() if "otlp" in each["receivers"]}

    assert set(outside) == {"traces/in", "metrics/app", "logs"}
    for each in outside.values():
        steps = [name for name in each["processors"] if name not in {"transform/bound", "transform/classify"}]
        tail = [name for name in steps if name != "transform/exemplars"]
        assert tail[:3] == ["memory_limiter", "transform/drop", "transform/lift"]
        assert tail[3].split("/")[0] == "redaction"
        assert tail[4:] == ["transform/lower"]
        assert each["processors"].index("transform/lower") == 4


def test_only_what_is_redacted_reaches_a_connector_or_the_sampler(config: dict[str, Any]) -> None:
    pipelines = config["service"]["pipelines"]

    assert pipelines["traces/in"]["exporters"] == ["span_metrics", "forward/keep"]
    assert pipelines["traces/keep"]["receivers"] == ["forward/keep"]
    assert pipelines["metrics/red"]["receivers"] == ["span_metrics"]


def test_every_network_exporter_queues_on_disk_and_retries_without_end(config: dict[str, Any]) -> None:
    network = {name: each for name, each in config["exporters"].items() if name.startswith("otlp")}

    assert set(network) == {"otlp_http/upstream", "otlp_grpc/upstream"}
    for each in network.values():
        queue, retry = each["sending_queue"], each["retry_on_failure"]
        assert queue["storage"] == "file_storage/queue"
        assert (queue["queue_size"], queue["block_on_overflow"]) == (200000, False)
        assert (retry["enabled"], retry["max_elapsed_time"]) == (True, 0)
    assert "      sizer: items\n" in TEXT  # the printed configuration leaves it out
    assert "file_storage/queue" in config["service"]["extensions"]


def test_the_sampler_cannot_lock_up_or_drop_an_error(config: dict[str, Any]) -> None:
    sampler = config["processors"]["tail_sampling"]

    assert sampler["block_on_overflow"] is True
    assert min(sampler["decision_cache"].values()) >= sampler["num_traces"]
    assert re.findall(r"^      - name: (\S+)$", TEXT[TEXT.index("    policies:") :], re.MULTILINE)[:7] == [
        "errors", "exceptions", "slow", "payments", "forced", "baseline", "noisy",
    ]  # fmt: skip
    assert "type: drop" not in TEXT


def test_both_redactions_share_their_lists_and_each_pattern_starts_with_a_literal(config: dict[str, Any]) -> None:
    full, plain = config["processors"]["redaction"], config["processors"]["redaction/plain"]
    literal = re.compile(r"\^?(\\[\[.]|[A-Za-z0-9:/@_ =\"'-])")
    without = [pattern for pattern in full["blocked_values"] if not literal.match(pattern)]

    assert full["blocked_values"] == plain["blocked_values"]
    assert full["blocked_key_patterns"] == plain["blocked_key_patterns"]
    assert without == full["blocked_values"][-WITHOUT_LITERAL:]
    assert [each for each in full["blocked_key_patterns"] if not literal.match(each)] == []
    assert not any("(?i)" in pattern for pattern in full["blocked_values"])
    assert (full["summary"], plain["summary"]) == ("info", "silent")
    assert not plain["db_sanitizer"]["sql"]["enabled"]


def test_thresholds_are_those_of_the_settings() -> None:
    said = {name.lower(): int(value) for name, value in re.findall(r"OTEL_GUARD_SLOW_(\w+_MS):-(\d+)", TEXT)}

    assert said == {name: getattr(Slow(), name) for name in Slow.__struct_fields__}


def test_attribute_names_that_classify_or_measure_are_those_of_semconv() -> None:
    known = {value for name, value in vars(semconv).items() if name.isupper()}
    classify = TEXT[TEXT.index("  transform/classify:") : TEXT.index("exporters:\n  debug")]
    used = set(re.findall(r'attributes\["([^"]+)"\]', classify))
    used |= set(re.findall(r"(?:- name|key): ([a-z_]+\.[a-z_.]+)", classify))

    assert used - known == set()
