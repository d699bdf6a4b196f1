"""`--import MODULE`: the providers, samplers and engines as the application makes them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Final

import msgspec

from otel_guard.doctor._base import Finding, Look

GROUP: Final = "application"
LONGEST_S: Final = 60.0


def check(look: Look) -> Iterator[Finding]:
    """Import it in a process of its own, as it is started."""
    if look.application is None:
        return
    with tempfile.TemporaryFile() as answers, tempfile.TemporaryFile() as errors:
        flag = "network" if look.is_network_allowed else "offline"
        command = [sys.executable, "-m", "otel_guard.doctor.application_child", look.application, flag]
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, str(answers.fileno())],
            env={**look.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), look.environ.get("PYTHONPATH", "")])},  # noqa: PTH109
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=(answers.fileno(),),
        )
        try:
            process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        answers.seek(0)
        lines = answers.read().splitlines()
        errors.seek(0)
        last = next((line for line in reversed(errors.read().decode("utf-8", "replace").splitlines()) if line), "")
    yield from (msgspec.json.decode(line, type=Finding) for line in lines)
    if not lines:
        detail = f"{look.application} was not imported within {LONGEST_S:g} s, or ended the process: {last[:200]}"
        fix = "see that `python -c 'import MODULE'` works here"
        yield Finding(group=GROUP, name=look.application, status="failed", detail=detail, fix=fix)
