"""Children on a real clock: held to their limits, told on honestly, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from repository import TESTS

from benchmark.errors import AdapterError
from benchmark.executors.channel import Channel, Closed
from benchmark.executors.interpreter import child_environment
from benchmark.executors.local import ExitReport, ForkServer, Limits, Preload, supervise
from benchmark.executors.processes import boot_and_pid_namespace, kill_recorded, start_ticks, tree_memory_mb
from benchmark.executors.slots import Slot, Slots

SLOT = Slot((), 2048.0)
HERE = "children"


class Ears:
    """Keeps what a child says and what it was told to have spent."""

    def __init__(self, reply: dict[str, Any] | None = None) -> None:
        self.said: list[dict[str, Any]] = []
        self.ticks: list[tuple[float, float]] = []
        self.reply = reply

    def hear(self, message: dict[str, Any], charged_s: float) -> dict[str, Any] | None:
        self.said.append(message)
        return self.reply if message["event"] == "step" else None

    def tick(self, lease_s: float, charged_s: float) -> None:
        self.ticks.append((lease_s, charged_s))


@pytest.fixture
def fork_server() -> Iterator[ForkServer]:
    with ForkServer(SLOT, Preload([], f"{HERE}:nothing", {}), log=lambda _: None) as made:
        yield made


@pytest.fixture
def run_child(fork_server: ForkServer) -> Callable[..., tuple[ExitReport, Ears]]:
    def run(
        entry: str, *, hold_s: float = 5.0, memory_mb: float = 2048.0, ready_s: float = 5.0
    ) -> tuple[ExitReport, Ears]:
        ears = Ears({"go": True})
        child = fork_server.launch(f"{HERE}:{entry}", {"word": "hello"})
        return supervise(child, Limits(hold_s, memory_mb, ready_s), ears), ears

    return run


def test_child_that_finishes_is_charged_from_ready_to_done(run_child: Any) -> None:
    ending, ears = run_child("sleeps_before_ready_and_after")
    assert ending.done
    assert ending.ended_by == "itself"
    assert ending.code == 0
    heard_late = 0.02  # the first word may reach us later than the last
    assert 0.3 - heard_late <= ending.charged_s < ending.lease_s - 0.25
    assert [message["event"] for message in ears.said] == ["ready", "echo", "done"]
    assert ears.said[1]["word"] == "hello"


def test_child_that_ignores_sigterm_is_killed_at_its_hold(run_child: Any) -> None:
    ending, ears = run_child("ignores_everything", hold_s=0.6)
    assert ending.ended_by == "hold"
    assert not ending.done
    assert 0.6 <= ending.charged_s < 0.9
    assert ears.ticks


def test_child_with_default_sigterm_goes_before_its_hold(run_child: Any) -> None:
    ending, _ = run_child("sleeps_for_ever", hold_s=1.0)
    assert ending.ended_by == "hold"
    assert ending.code == -signal.SIGTERM
    assert ending.charged_s < 1.0


def test_child_over_its_memory_is_killed(run_child: Any) -> None:
    ending, _ = run_child("takes_memory", memory_mb=300.0)
    assert ending.ended_by == "memory"
    assert ending.memory_mb > 300.0


def test_child_that_is_never_ready_is_given_up_and_charged_nothing(run_child: Any) -> None:
    ending, _ = run_child("never_ready", ready_s=0.4)
    assert ending.ended_by == "not-ready"
    assert ending.charged_s == 0.0


def test_child_killed_from_outside_is_reported_as_such(run_child: Any) -> None:
    ending, _ = run_child("is_killed")
    assert (ending.ended_by, ending.done, ending.code) == ("itself", False, -signal.SIGKILL)


def test_grandchild_does_not_outlive_the_hold(run_child: Any) -> None:
    ending, ears = run_child("has_a_child_of_its_own", hold_s=0.6)
    grandchild = next(message["pid"] for message in ears.said if message["event"] == "pid")
    assert ending.ended_by == "hold"
    assert gone_within(2.0, grandchild)


def test_stop_ends_a_child_at_once() -> None:
    stop = threading.Event()
    with ForkServer(SLOT, Preload([], f"{HERE}:nothing", {}), log=lambda _: None, stop=stop) as fork_server:
        child = fork_server.launch(f"{HERE}:sleeps_for_ever", {})
        threading.Timer(0.3, stop.set).start()
        ending = supervise(child, Limits(60.0, 2048.0, 5.0), Ears())
    assert ending.ended_by == "stopped"
    assert ending.lease_s < 3.0


def test_child_starts_in_an_empty_folder_with_neither_data_nor_run_path(
    monkeypatch: Any, run_child: Any
) -> None:
    ending, ears = run_child("tells_its_surroundings")
    told = next(message for message in ears.said if message["event"] == "surroundings")
    assert ending.done
    assert told["files"] == []
    assert told["home"] == told["folder"]
    assert not Path(told["folder"]).exists()


def test_environment_of_a_child_caps_threads_and_hides_paths(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCH_DATA", "/somewhere")
    monkeypatch.setenv("MY_RUN", f"{tmp_path}/results")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    environment = child_environment(Slot((0, 1), 1024.0), "/scratch", [tmp_path])
    assert environment["OMP_NUM_THREADS"] == environment["TF_NUM_INTRAOP_THREADS"] == "2"
    assert environment["CUDA_VISIBLE_DEVICES"] == ""
    assert not any("BENCH" in key or str(tmp_path) in value for key, value in environment.items())
    assert child_environment(Slot((0,), 1024.0, gpu=1), "/scratch", [])["CUDA_VISIBLE_DEVICES"] == "1"


def test_what_children_print_reaches_the_log() -> None:
    lines: list[str] = []
    with ForkServer(SLOT, Preload([], f"{HERE}:nothing", {}), log=lines.append) as fork_server:
        supervise(fork_server.launch(f"{HERE}:prints", {}), Limits(5.0, 2048.0, 5.0), Ears())
    assert "a line for the log" in lines


def test_fork_server_that_cannot_import_says_which_module() -> None:
    with pytest.raises(AdapterError, match="no_such_module"):
        ForkServer(SLOT, Preload(["no_such_module"], f"{HERE}:nothing", {}), log=lambda _: None)


def test_everything_goes_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    program = TESTS / "supervisor_to_kill.py"
    supervisor = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pids = [int(word) for word in supervisor.stdout.readline().split()]
    assert all(start_ticks(pid) is not None for pid in pids)
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert len(pids) == 2
    assert all(gone_within(2.0, pid) for pid in pids)


def test_recorded_process_is_killed_only_if_it_is_still_the_same() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    started = start_ticks(process.pid)
    assert started is not None
    assert not kill_recorded(process.pid, started - 1, boot_and_pid_namespace())
    assert not kill_recorded(process.pid, started, "another boot pid:[1]")
    assert process.poll() is None
    assert kill_recorded(process.pid, started, boot_and_pid_namespace())
    assert process.wait() == -signal.SIGKILL
    assert not kill_recorded(process.pid, started, boot_and_pid_namespace())


def test_group_without_its_leader_is_killed_in_its_own_era_only() -> None:
    sleeper = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], stdout=-3)"
    code = f"import subprocess, sys; print({sleeper}.pid)"
    leader = subprocess.run(
        ["setsid", sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    )
    grandchild = int(leader.stdout)
    group = os.getpgid(grandchild)
    assert start_ticks(group) is None
    assert not kill_recorded(group, 1, None)
    assert start_ticks(grandchild) is not None
    assert kill_recorded(group, 1, boot_and_pid_namespace())
    assert gone_within(2.0, grandchild)


def test_fork_server_forked_from_another_runs_children_and_has_its_own_log(
    fork_server: ForkServer,
) -> None:
    lines: list[str] = []
    with ForkServer(SLOT, Preload([], f"{HERE}:nothing", {}), log=lines.append, root=fork_server) as inner:
        ending = supervise(inner.launch(f"{HERE}:prints", {}), Limits(5.0, 2048.0, 5.0), Ears())
    assert ending.done
    assert "a line for the log" in lines
    assert not inner.alive
    assert fork_server.alive


def test_fork_server_goes_with_the_one_it_was_forked_from(fork_server: ForkServer) -> None:
    inner = ForkServer(SLOT, Preload([], f"{HERE}:nothing", {}), log=lambda _: None, root=fork_server)
    child = inner.launch(f"{HERE}:sleeps_for_ever", {})
    os.kill(fork_server.pid, signal.SIGKILL)
    assert gone_within(2.0, inner.pid)
    assert gone_within(2.0, child.pid)
    with pytest.raises(Closed):
        inner.launch(f"{HERE}:prints", {})
    child.close()
    inner.close()


def test_fork_server_lent_to_another_slot_forks_its_next_child_there(fork_server: ForkServer) -> None:
    wanted = min(os.sched_getaffinity(0))
    fork_server.slot = Slot((wanted,), 2048.0)
    ears = Ears()
    supervise(fork_server.launch(f"{HERE}:tells_its_cores", {}), Limits(5.0, 2048.0, 5.0), ears)
    assert next(message["cores"] for message in ears.said if message["event"] == "cores") == [wanted]


def test_memory_of_a_tree_includes_its_children() -> None:
    alone = tree_memory_mb(os.getpid())
    code = "import sys; x = bytearray(100 << 20); print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert tree_memory_mb(os.getpid()) > alone + 90
        child.communicate()


def test_channel_carries_messages_larger_than_a_pipe_and_tells_the_end() -> None:
    here, there = Channel.pair()
    big = {"event": "big", "text": "x" * 1_000_000}
    sender = threading.Thread(target=here.send, args=(big,))
    sender.start()
    assert there.receive() == big
    sender.join()
    here.close()
    with pytest.raises(Closed):
        there.receive()
    there.close()


def test_slots_are_lent_to_as_many_as_fit_and_no_more() -> None:
    slots = Slots(1, 100.0, "no", jobs=1)
    with slots.take() as slot:
        assert slots._free.empty()
        assert slot.device == "cpu"
        assert len(slot.cores) == 1
    assert not slots._free.empty()


def gone_within(seconds: float, pid: int) -> bool:
    """Return whether a process has ended, zombies counted as ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text("utf-8").rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False
