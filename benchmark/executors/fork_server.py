"""The process that pays a framework's import once and forks the trials of one study.

Run as ``python -m benchmark.executors.fork_server DESCRIPTOR PARENT``. It imports, loads the data, and
never computes: forking after any computation hangs torch, LightFM and TensorFlow. It knows neither
what a trial is nor what a framework is; both come by name in the set-up message.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import shutil
import signal
import sys
import tempfile
import traceback
from typing import Any, Never

from benchmark.executors.channel import Channel, ChannelClosed
from benchmark.executors.processes import (
    become_subreaper,
    children,
    die_with_parent,
    kill_descendants,
    start_ticks,
)
from benchmark.messages import Broken, Exited, Launch, Ready, ServeRequest, SetUp, Started


def main(control_descriptor: int, parent: int) -> None:
    """Serve one supervisor until it is gone."""
    die_with_parent(parent)
    conduct(Channel.from_descriptor(control_descriptor))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a framework's own way out takes up to a second


def nested(request: ServeRequest, control: Channel, _: None, descriptors: list[int]) -> None:
    """Serve as a fork server of its own, forked from one that has imported what all of them need."""
    for printed in (1, 2):
        os.dup2(descriptors[0], printed)
    os.close(descriptors[0])
    os.environ.update(request.environment)
    conduct(control)


def conduct(control: Channel) -> None:
    """Set up as told, then fork a child for each launch message until the supervisor is gone."""
    become_subreaper()  # before anything is imported, which may start processes too
    try:
        message = control.receive()
        assert isinstance(message, SetUp), message
        loaded = set_up(message)
        del message  # children inherit this frame, and it says where the split lies
        control.send(Ready())
    except ChannelClosed:
        return
    except BaseException:  # noqa: BLE001 - whatever an import raises is reported, then we leave
        control.send(Broken(traceback.format_exc()))
        return
    else:
        _Server(control, loaded).serve()
    finally:
        kill_descendants(os.getpid())


def nothing() -> None:
    """Load nothing."""


def set_up(message: SetUp) -> Any:
    """Import and load; return what is handed to every child."""
    if message.sys_path:
        sys.path[:] = message.sys_path
    run_on(message.cores)
    for module in message.preload:
        importlib.import_module(module)
    loaded = named(message.target)(**message.arguments)
    gc.collect()
    gc.freeze()  # children share these pages until somebody touches their reference counts
    return loaded


def run_on(cores: tuple[int, ...]) -> None:
    """Pin this process, and what it forks from now on, to these cores; none means wherever."""
    if cores:
        os.sched_setaffinity(0, cores)


def named(target: str) -> Any:
    """Return what "module:name" points to."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


class _Server:
    """Forks and reaps."""

    def __init__(self, control: Channel, loaded: Any) -> None:
        self.control, self.loaded = control, loaded
        self.scratch: dict[int, str] = {}  # the folder of each child that lives
        self.helpers = set(children(os.getpid()))  # what a library started when it was imported

    def serve(self) -> None:
        """Fork what is asked for and report what ends, until the supervisor is gone."""
        wake, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            readable, _, _ = select.select([self.control.fileno(), wake], [], [])
            if wake in readable:
                os.read(wake, 4096)
                self.reap()
            if self.control.fileno() in readable:
                try:
                    message, descriptors = self.control.receive_with_descriptors()
                except ChannelClosed:
                    return
                assert isinstance(message, Launch), message
                self.fork(message, descriptors)

    def fork(self, launch: Launch, descriptors: list[int]) -> None:
        """Fork a child in a folder, session and group of its own."""
        run_on(launch.cores)
        folder = tempfile.mkdtemp(prefix="trial-", dir=os.getcwd())
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            die_with_parent(server)
            self.control.close()
            become(folder, launch, descriptors, self.loaded)
        self.scratch[pid] = folder
        for descriptor in descriptors:
            os.close(descriptor)
        self.control.send(Started(pid, start_ticks(pid)))

    def end_orphans(self) -> None:
        """Kill what a child started and left behind, in whichever session it hides: it is ours now."""
        for pid in set(children(os.getpid())) - self.helpers - self.scratch.keys():
            kill_descendants(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def reap(self) -> None:
        """Report every child that has ended, and remove its folder."""
        while self.scratch:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            if (folder := self.scratch.pop(pid, None)) is None:
                continue  # a helper, or an orphan
            self.end_orphans()
            shutil.rmtree(folder, ignore_errors=True)
            code, core_s = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
            self.control.send(Exited(pid, code, core_s))


def become(folder: str, launch: Launch, descriptors: list[int], loaded: Any) -> Never:
    """Run a launch's target in its folder and leave without the fork server's exit handlers."""
    status = 1
    try:
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder, PWD=folder)
        tempfile.tempdir = None
        channel = Channel.from_descriptor(descriptors[0])
        named(launch.target)(launch.request, channel, loaded, descriptors[1:])
        status = 0
    except BaseException:  # noqa: BLE001 - the supervisor reads it in the log; a dead pipe is no bug
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
