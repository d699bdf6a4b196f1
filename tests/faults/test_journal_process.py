"""What kills, forks and fills: a journal in processes of its own; every number that was noted is kept once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

LIMIT_S = 40
PRELUDE = """
import json, os, resource, signal, sys, threading
from pathlib import Path
from otel_guard.core.delivery import Delivered, Retry
from otel_guard.core.record import ErrorRecord
from otel_guard.journal.adoption import adopt_once
from otel_guard.journal.journal import Journal
from otel_guard.journal.pump import SinkSpec
from otel_guard.runtime.clock import SYSTEM
from otel_guard.runtime.failsafe import Failsafe
from otel_guard.runtime.ids import uuid7

FOLDER = Path(sys.argv[1]) / "shop-0badcafe"
LEDGER = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
STORED = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
SAID = []

class Stores:
    def deliver(self, batch):
        os.write(STORED, b"".join(r.message.encode() + b"\\n" for r in batch.records if isinstance(r, ErrorRecord)))
        return Delivered()

class Waits(Stores):
    is_open = False
    def deliver(self, batch):
        return super().deliver(batch) if self.is_open else Retry("not yet", 0.2)

class Down:
    def deliver(self, batch):
        return Retry("down")

def make(sink):
    return Journal(FOLDER, service="shop", environment="test", release=None, host="web", limit_bytes=1 << 28,
                   sinks={"store": SinkSpec(sink, True)}, clock=SYSTEM, failsafe=Failsafe(strict=True), warn=SAID.append)

def emit(journal, name, size=500):
    record = ErrorRecord(id=uuid7(SYSTEM.now_ms()), seq=journal.next_seq(), error_type="E", message=name, context="api",
                         severity="low", fingerprint="f", title="t", parts=(), metadata={}, stack_trace="s" * size)
    kept = journal.append(record)
    if kept:
        os.write(LEDGER, name.encode() + b"\\n")
    return kept

def wait_for(condition, seconds=20):
    until = SYSTEM.monotonic() + seconds
    while not condition() and SYSTEM.monotonic() < until:
        SYSTEM.sleep(0.02)
    return condition()
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


class Files:
    """What the processes noted as kept, and what came at the sink."""

    def __init__(self, path: Path) -> None:
        self.folder = path / "journal" / "shop-0badcafe"
        self.arguments = (str(path / "journal"), str(path / "ledger"), str(path / "stored"))

    @property
    def kept(self) -> list[str]:
        return Path(self.arguments[1]).read_text().split()

    @property
    def stored(self) -> list[str]:
        path = Path(self.arguments[2])
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def run(files: Files) -> Run:
    def run(body: str, *, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PRELUDE + body, *files.arguments],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


ADOPT = "print(json.dumps({n: getattr(d, n) for n in d.__struct_fields__}) if (d := adopt_once(FOLDER, {'store': SinkSpec(Stores(), True)}, SYSTEM)) else 0)"


@pytest.mark.parametrize("sink", ["Down", "Stores"])
def test_a_kill_after_a_burst_loses_nothing(files: Files, run: Run, sink: str) -> None:
    run(
        f"""
journal = make({sink}()); journal.start()
threads = [threading.Thread(target=lambda k=k: [emit(journal, f"{{k}}-{{n}}", 3000) for n in range(500)]) for k in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
os.kill(os.getpid(), signal.SIGKILL)
""",
        code=-signal.SIGKILL,
    )
    run(ADOPT)

    assert len(files.kept) == 2000
    assert set(files.stored) == set(files.kept)
    assert sink == "Stores" or len(files.stored) == 2000
    assert list(files.folder.iterdir()) == []


@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.5])
def test_a_kill_at_any_moment_loses_nothing(files: Files, run: Run, after_s: float) -> None:
    run(
        f"""
journal = make(Stores()); journal.start()
def kill():
    SYSTEM.sleep({after_s}); os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=kill, daemon=True).start()
n = 0
while True:
    emit(journal, str(n)); n += 1
""",
        code=-signal.SIGKILL,
    )
    run(ADOPT)

    assert files.kept
    assert set(files.kept) - set(files.stored) == set()


def test_a_living_process_adopts_a_dead_ones_journal(files: Files, run: Run) -> None:
    run("journal = make(Down()); journal.start(); [emit(journal, str(n)) for n in range(50)]; os._exit(0)")
    run(
        """
journal = make(Stores()); journal.start()
assert wait_for(lambda: journal.stats().adopted == 1)
assert wait_for(lambda: len(list(FOLDER.glob("*.own"))) == 1)
journal.close(5.0)
"""
    )

    assert sorted(files.stored, key=int) == [str(number) for number in range(50)]
    assert list(files.folder.iterdir()) == []


def test_forks_have_their_own_writers_and_no_record_twice(files: Files, run: Run) -> None:
    run(
        """
journal = make(Stores()); journal.start()
[emit(journal, f"parent-{n}") for n in range(50)]
noisy, mine = True, journal.writer_id
def noise():
    k = 0
    while noisy:
        emit(journal, f"noise-{k}"); k += 1; SYSTEM.sleep(0.001)
thread = threading.Thread(target=noise); thread.start()
children = []
for c in range(8):
    pid = os.fork()
    if pid == 0:
        noisy = False
        [emit(journal, f"child{c}-{n}") for n in range(25)]
        assert journal.writer_id != mine and journal.next_seq() == 26
        if c % 2:
            assert journal.flush(10.0)
            journal.close(5.0)
        os._exit(0)
    children.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 8
noisy = False; thread.join()
assert journal.writer_id == mine
assert journal.flush(10.0)
journal.close(5.0)
"""
    )
    run(ADOPT)

    assert len(files.kept) >= 250
    assert set(files.stored) == set(files.kept)
    assert list(files.folder.iterdir()) == []


def test_a_child_that_appends_nothing_opens_nothing(files: Files, run: Run) -> None:
    run(
        """
journal = make(Stores()); journal.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        paths = [Path("/proc/self/fd", fd) for fd in os.listdir("/proc/self/fd")]
        os._exit(any(str(FOLDER) in os.readlink(path) for path in paths if path.exists()))
    assert os.waitpid(pid, 0)[1] == 0
assert len(list(FOLDER.glob("*.own"))) == 1
emit(journal, "1")
journal.close(5.0)
"""
    )

    assert files.stored == ["1"]


def test_a_preloading_master_that_dies_leaves_its_journal_to_its_children(files: Files, run: Run) -> None:
    run(
        """
journal = make(Down()); journal.start()
[emit(journal, f"master-{n}") for n in range(10)]
ready, told = os.pipe()
pid = os.fork()
if pid:
    os.close(told); os.read(ready, 1)
    os.kill(os.getpid(), signal.SIGKILL)
os.close(ready)
emit(journal, "child")  # its own writer; the parent's lock is closed, not unlocked
assert adopt_once(FOLDER, {"store": SinkSpec(Stores(), True)}, SYSTEM).journals == 0
parent = os.getppid()
os.close(told)
assert wait_for(lambda: os.getppid() != parent)
done = adopt_once(FOLDER, {"store": SinkSpec(Stores(), True)}, SYSTEM)
os._exit(0 if done.delivered == 10 else 1)
""",
        code=-signal.SIGKILL,
    )
    run(
        "assert wait_for(lambda: not list(FOLDER.glob('*.own')) or adopt_once(FOLDER, {'store': SinkSpec(Stores(), True)}, SYSTEM).left == 0 and not list(FOLDER.glob('*.own')))"
    )

    assert sorted(files.stored) == sorted(files.kept)


def test_daemonising_that_closes_everything_writes_no_foreign_byte(files: Files, run: Run, tmp_path: Path) -> None:
    run(
        f"""
journal = make(Stores()); journal.start()
journal._setup.failsafe._strict = False  # what a thread of ours has open at that moment is closed too
emit(journal, "before"); assert journal.flush(5.0)
ours = (LEDGER, STORED)
for fd in range(3, 64):
    if fd not in ours:
        try: os.close(fd)
        except OSError: pass
foreign = [os.open({str(tmp_path)!r} + f"/foreign{{n}}", os.O_RDWR | os.O_CREAT) for n in range(12)]
[emit(journal, f"after-{{n}}") for n in range(20)]
assert journal.flush(10.0)
journal.close(5.0)
assert [os.fstat(fd).st_size for fd in foreign] == [0] * 12
"""
    )
    run(ADOPT)

    assert set(files.stored) == set(files.kept)
    assert len(files.kept) == 21


def test_a_full_disk_means_memory_and_then_disk_again(files: Files, run: Run) -> None:
    run(
        """
journal = make(Waits()); journal.start()
emit(journal, "first")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
os.close(LEDGER); LEDGER = os.open(os.devnull, os.O_WRONLY)
names = [f"full-{n}" for n in range(20)]
assert all(emit(journal, name) for name in names)
assert journal.stats().memory_mode and len(SAID) == 1, SAID
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
Waits.is_open = True
assert wait_for(lambda: not journal.stats().memory_mode)
assert emit(journal, "last")
assert journal.flush(10.0)
assert SAID[1:] == ["the journal is on disk again"], SAID
journal.close(5.0)
"""
    )

    assert set(files.stored) == {"first", "last", *(f"full-{number}" for number in range(20))}


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root writes everywhere; no setpriv"
)
def test_a_read_only_folder_means_memory(files: Files, run: Run, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal").chmod(0o500)
    drop = "os.setresuid(65534, 65534, 65534)" if os.geteuid() == 0 else ""
    for parent in (tmp_path, *list(tmp_path.parents)[:2]):
        if os.geteuid() == 0:
            parent.chmod(0o755)
    run(
        f"""
{drop}
journal = make(Stores()); journal.start()
assert all(emit(journal, str(n)) for n in range(5))
assert journal.flush(5.0)
assert journal.stats().memory_mode and len(SAID) == 1, SAID
journal.close(5.0)
"""
    )

    assert len(files.stored) == 5


def test_signals_amid_appends_lose_nothing(files: Files, run: Run) -> None:
    run(
        """
journal = make(Stores()); journal.start()
count = 0
def again(*_):
    global count
    emit(journal, f"signal-{count}"); count += 1
signal.signal(signal.SIGALRM, again)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
[emit(journal, f"main-{n}", 3000) for n in range(3000)]
signal.setitimer(signal.ITIMER_REAL, 0)
assert count > 10
assert journal.flush(15.0)
journal.close(5.0)
"""
    )

    assert sorted(files.stored) == sorted(files.kept)


def test_a_handler_that_raises_reaches_the_application(files: Files, run: Run) -> None:
    run(
        """
class Limit(Exception): pass
def fail(*_): raise Limit
signal.signal(signal.SIGALRM, fail)
journal = make(Stores()); journal._setup.failsafe._strict = False
journal.start()
raised = 0
for n in range(300):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002)
        for k in range(100000):
            emit(journal, f"{n}-{k}")
    except Limit:
        raised += 1
signal.setitimer(signal.ITIMER_REAL, 0)
assert raised == 300, raised
assert journal.flush(15.0), journal.stats()
journal.close(5.0)
"""
    )

    assert set(files.kept) - set(files.stored) == set()


def test_late_threads_and_exit_are_in_time(files: Files, run: Run) -> None:
    done = run(
        """
journal = make(Down()); journal.start()
def late():
    for n in range(100000): emit(journal, str(n), 10)
threading.Thread(target=late, daemon=True).start()
SYSTEM.sleep(0.2)
began = SYSTEM.monotonic()
journal.close(0.5)
print(json.dumps(SYSTEM.monotonic() - began))
os._exit(0)
"""
    )
    run(ADOPT)

    assert json.loads(done.stdout) < 2.0
    assert set(files.kept) - set(files.stored) == set()
