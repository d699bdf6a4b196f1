"""A courier that is killed while it sends: another process sends the same row again after 60 s."""

import os
import signal
import subprocess
import sys
from contextlib import closing

from tests.integration.alerts.conftest import NOON, World

HANGING = """
import sys
from datetime import datetime
from otel_guard.alerts.courier import Courier
from otel_guard.runtime.clock import SYSTEM
from otel_guard.store.lane import Lane

class Hanging:
    name, groups = "make", False
    def send(self, notices, key):
        print(key, flush=True)
        SYSTEM.sleep(60)

courier = Courier(Lane(sys.argv[1], SYSTEM).transaction, {"make": Hanging()}, SYSTEM, holder="doomed")
courier.deliver(now=datetime.fromisoformat(sys.argv[2]))
"""


def test_a_row_that_a_killed_process_had_is_sent_after_60_s(world: World, dsn: str) -> None:
    incident_id = world.fire("burst")
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, dsn, NOON.isoformat()], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with closing(process.stdout) as said:
        key = said.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    world.later(59)
    world.deliver()
    before = list(world.make.said)
    world.later(1)
    world.deliver()

    assert key == f"{incident_id}:fired:1:make"
    assert before == []
    assert [key for key, _ in world.make.tries] == [key]
    assert world.outbox() == [("slack", "fired", "sent"), ("make", "fired", "sent")]
