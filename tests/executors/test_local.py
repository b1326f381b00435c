"""Children in real processes: held to their limits, reported truly, never left behind."""

from __future__ import annotations

import json
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

from benchmark.environments.inside import inside
from benchmark.errors import AdapterError
from benchmark.executors.channel import Channel, ChannelClosed
from benchmark.executors.executor import Executor, ExecutorLost, ExitReport, Limits, ProcessIdentity
from benchmark.executors.interpreter import child_environment
from benchmark.executors.local import ForkServer, Preload
from benchmark.executors.processes import boot_and_pid_namespace, kill_recorded, start_ticks
from benchmark.executors.slots import Slot, Slots
from benchmark.messages import Done, Error, Message, Ready, ServeRequest

SLOT = Slot((), 2048.0)
HERE = "children"


NOTHING = Preload([], f"{HERE}:nothing", {})
REQUEST = ServeRequest({"WORD": "hello"})
ROOMY = Limits(60.0, 2048.0, 60.0)
"""Limits that end nothing here."""


class Ears:
    """Keeps what a child says and what it was told to have spent."""

    def __init__(self, first_message: Callable[[], None] = lambda: None) -> None:
        self.process: ProcessIdentity | None = None
        self.messages: list[Message] = []
        self.ticks: list[tuple[float, float]] = []
        self.first_message = first_message

    def started(self, process: ProcessIdentity) -> None:
        self.process = process

    def hear(self, message: Message, charged_s: float) -> Message | None:
        if not self.messages:
            self.first_message()
        self.messages.append(message)
        return None

    def tick(self, lease_s: float, charged_s: float) -> None:
        self.ticks.append((lease_s, charged_s))

    @property
    def told(self) -> list[Any]:
        """What the child told."""
        (message,) = [message for message in self.messages if isinstance(message, Error)]
        words: list[Any] = json.loads(message.message)
        return words


@pytest.fixture(params=["here", pytest.param("in an environment", marks=pytest.mark.slow)])
def fork_server(request: pytest.FixtureRequest) -> Iterator[ForkServer]:
    own = None if request.param == "here" else inside(request.getfixturevalue("tiny_environment"), HERE)
    with ForkServer(SLOT, NOTHING, log=lambda _: None, inside=own) as made:
        yield made


def run(executor: Executor, name: str, limits: Limits = ROOMY) -> tuple[ExitReport, Ears]:
    """Run a function of children.py to its end."""
    ears = Ears()
    return executor.start(f"{HERE}:{name}", REQUEST, limits, ears).wait(), ears


def test_child_that_finishes_says_all_it_has_to_say_and_is_named_to_its_listener(
    fork_server: ForkServer,
) -> None:
    report, ears = run(fork_server, "sleeps_before_ready_and_after")
    assert (report.done, report.ended_by, report.code) == (True, "itself", 0)
    assert ears.messages == [Ready(), REQUEST, Done()]
    assert ears.process is not None
    assert ears.process.namespace == boot_and_pid_namespace()


@pytest.mark.alone
def test_child_that_finishes_is_charged_from_ready_to_done(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "sleeps_before_ready_and_after")
    heard_late = 0.02  # the first message may reach us later than the last
    assert 0.3 - heard_late <= report.charged_s < report.lease_s - 0.25


def test_child_that_ignores_sigterm_is_killed_at_its_hold_and_charged_for_it(fork_server: ForkServer) -> None:
    report, ears = run(fork_server, "ignores_everything", Limits(0.6, 2048.0, 60.0))
    assert (report.ended_by, report.done, report.code) == ("hold", False, -signal.SIGKILL)
    assert report.charged_s >= 0.6
    assert ears.ticks


def test_child_whose_fit_has_ended_is_held_to_the_limit_of_scoring(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "scores_forever", Limits(60.0, 2048.0, 60.0, scoring_s=0.6))
    assert (report.ended_by, report.done, report.code) == ("scoring", False, -signal.SIGKILL)


def test_hold_no_longer_counts_once_the_fit_has_ended(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "scores_longer_than_it_may_fit", Limits(1.0, 2048.0, 60.0, scoring_s=60.0))
    assert (report.ended_by, report.done) == ("itself", True)
    assert report.charged_s > 1.0


def test_end_of_a_fit_changes_nothing_where_the_hold_bounds_everything(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "scores_forever", Limits(0.6, 2048.0, 60.0))
    assert report.ended_by == "hold"


@pytest.mark.alone
def test_child_that_ignores_sigterm_is_gone_soon_after_its_hold(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "ignores_everything", Limits(0.6, 2048.0, 60.0))
    assert report.charged_s < 0.9


@pytest.mark.alone
def test_child_with_default_sigterm_ends_before_its_hold(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "sleeps_forever", Limits(1.0, 2048.0, 60.0))
    assert (report.ended_by, report.code) == ("hold", -signal.SIGTERM)
    assert report.charged_s < 1.0


def test_child_over_its_memory_is_killed(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "takes_memory", Limits(60.0, 300.0, 60.0))
    assert report.ended_by == "memory"
    assert report.memory_mb > 300.0


def test_core_seconds_of_a_child_count_what_its_own_children_computed(fork_server: ForkServer) -> None:
    computed, _ = run(fork_server, "computes_in_a_child_of_its_own")
    slept, _ = run(fork_server, "sleeps_before_ready_and_after")
    assert computed.core_s > 0.4
    assert slept.core_s < 0.4 < slept.lease_s


def test_child_that_is_never_ready_is_given_up_and_charged_nothing(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "never_ready", Limits(60.0, 2048.0, 0.4))
    assert report.ended_by == "not-ready"
    assert report.charged_s == 0.0


def test_child_killed_from_outside_is_reported_as_such(fork_server: ForkServer) -> None:
    report, _ = run(fork_server, "is_killed")
    assert (report.ended_by, report.done, report.code) == ("itself", False, -signal.SIGKILL)


def test_grandchild_does_not_outlive_the_hold(fork_server: ForkServer) -> None:
    report, ears = run(fork_server, "has_a_child_of_its_own", Limits(3.0, 2048.0, 60.0))
    (grandchild,) = ears.told
    assert report.ended_by == "hold"
    assert ends(grandchild)


def test_grandchild_in_a_session_of_its_own_is_gone_with_its_parent(fork_server: ForkServer) -> None:
    report, ears = run(fork_server, "leaves_a_child_in_another_session")
    (grandchild,) = ears.told
    assert report.done
    assert ends(grandchild)


def test_child_that_prints_without_end_is_not_kept_waiting_and_the_log_stays_small() -> None:
    lines: list[str] = []
    with ForkServer(SLOT, NOTHING, log=lines.append) as fork_server:
        report, _ = run(fork_server, "prints_ten_megabytes")
    assert report.done
    assert sum(map(len, lines)) < 1_200_000
    assert "the rest is left out" in lines[-1]


def test_stop_ends_a_child_that_would_run_for_minutes() -> None:
    stop = threading.Event()
    with ForkServer(SLOT, NOTHING, log=lambda _: None, stop=stop) as fork_server:
        ears = Ears(first_message=stop.set)
        report = fork_server.start(f"{HERE}:sleeps_forever", REQUEST, ROOMY, ears).wait()
    assert (report.ended_by, report.code) == ("stopped", -signal.SIGKILL)


def test_listener_that_cannot_take_note_of_a_child_leaves_none_behind(fork_server: ForkServer) -> None:
    class Deaf(Ears):
        def started(self, process: ProcessIdentity) -> None:
            super().started(process)
            raise OSError("no space left")

    deaf = Deaf()
    with pytest.raises(OSError, match="no space left"):
        fork_server.start(f"{HERE}:sleeps_forever", REQUEST, ROOMY, deaf)
    assert deaf.process is not None
    assert ends(deaf.process.pid)


def test_child_starts_in_an_empty_folder_of_its_own_that_is_removed(fork_server: ForkServer) -> None:
    report, ears = run(fork_server, "tells_its_surroundings")
    files, folder, home = ears.told
    assert report.done
    assert files == []
    assert home == folder
    assert not Path(folder).exists()


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
    with ForkServer(SLOT, NOTHING, log=lines.append) as fork_server:
        run(fork_server, "prints")
    assert "a line for the log" in lines


def test_fork_server_that_cannot_import_says_which_module() -> None:
    with pytest.raises(AdapterError, match="no_such_module"):
        ForkServer(SLOT, Preload(["no_such_module"], f"{HERE}:nothing", {}), log=lambda _: None)


def test_daemon_that_a_framework_starts_at_its_import_goes_with_the_fork_server() -> None:
    lines: list[str] = []
    with ForkServer(SLOT, Preload(["daemon_at_import"], f"{HERE}:nothing", {}), log=lines.append):
        pass
    (pid,) = [int(line.split()[1]) for line in lines if line.startswith("daemon ")]
    assert ends(pid)


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
    assert all(ends(pid) for pid in pids)


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


def test_group_without_its_leader_is_killed_in_its_own_boot_and_namespace_only() -> None:
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
    assert ends(grandchild)


def test_fork_server_forked_from_another_runs_children_and_has_its_own_log(
    fork_server: ForkServer,
) -> None:
    lines: list[str] = []
    with ForkServer(SLOT, NOTHING, log=lines.append, root=fork_server) as inner:
        report, _ = run(inner, "prints")
    assert report.done
    assert "a line for the log" in lines
    assert not inner.alive
    assert fork_server.alive


def test_fork_server_goes_with_the_one_it_was_forked_from(fork_server: ForkServer) -> None:
    inner = ForkServer(SLOT, NOTHING, log=lambda _: None, root=fork_server)
    child = inner.launch(f"{HERE}:sleeps_forever", REQUEST)
    os.kill(fork_server.pid, signal.SIGKILL)
    assert ends(inner.pid)
    assert ends(child.pid)
    with pytest.raises(ExecutorLost):
        inner.launch(f"{HERE}:prints", REQUEST)
    child.close()
    inner.close()


def test_fork_server_lent_to_another_slot_forks_its_next_child_there(fork_server: ForkServer) -> None:
    wanted = min(os.sched_getaffinity(0))
    fork_server.slot = Slot((wanted,), 2048.0)
    _, ears = run(fork_server, "tells_its_cores")
    assert ears.told == [wanted]


def test_channel_carries_messages_larger_than_a_pipe_and_tells_the_end() -> None:
    here, there = Channel.pair()
    big = Error("crash", "x" * 1_000_000)
    sender = threading.Thread(target=here.send, args=(big,))
    sender.start()
    assert there.receive() == big
    sender.join()
    here.close()
    with pytest.raises(ChannelClosed):
        there.receive()
    there.close()


def test_slots_are_lent_to_as_many_as_fit_and_no_more() -> None:
    slots = Slots(1, 100.0, "no", jobs=1)
    with slots.take() as slot:
        assert slots.free == 0
        assert slot.device == "cpu"
        assert len(slot.cores) == 1
    assert slots.free == 1


def ends(pid: int, within_s: float = 30.0) -> bool:
    """Return whether a process ends; a zombie has ended. The limit is for a test that fails."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text("utf-8").rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False
