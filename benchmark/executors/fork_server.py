"""The process that pays a framework's import once and forks the trials of one study.

Run as ``python -m benchmark.executors.fork_server DESCRIPTOR PARENT``. It imports, loads the data, and
never computes: forking after any computation hangs torch, LightFM and TensorFlow. It knows neither
what a trial is nor what a framework is; both come by name in the set-up message.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import shutil
import signal
import sys
import tempfile
import traceback
from typing import Any

from benchmark.executors.channel import Channel, Closed, Message
from benchmark.executors.processes import die_with_parent, start_ticks


def main(control_descriptor: int, parent: int) -> None:
    """Serve one supervisor until it goes."""
    die_with_parent(parent)
    _conduct(Channel.from_descriptor(control_descriptor))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a framework's own way out takes up to a second


def nested(request: Message, control: Channel, _: None, descriptors: list[int]) -> None:
    """Serve as a fork server of its own, forked from one that has imported what all of them need."""
    for printed in (1, 2):
        os.dup2(descriptors[0], printed)
    os.close(descriptors[0])
    os.environ.update(request["environment"])
    _conduct(control)


def _conduct(control: Channel) -> None:
    try:
        loaded = _set_up(control.receive())
    except Closed:
        return
    except BaseException:  # noqa: BLE001 - whatever an import raises is reported, then we leave
        control.send({"event": "broken", "traceback": traceback.format_exc()})
        return
    control.send({"event": "ready"})
    _serve(control, loaded)


def _set_up(message: Message) -> Any:
    sys.path[:] = message["sys_path"]
    _move(message["cores"])
    for module in message["preload"]:
        importlib.import_module(module)
    loaded = _named(message["setup"])(**message["arguments"])
    gc.collect()
    gc.freeze()  # children share these pages until somebody touches their reference counts
    return loaded


def _move(cores: list[int]) -> None:
    """Run on these cores from now on, and so does what is forked; none means wherever."""
    if cores:
        os.sched_setaffinity(0, cores)


def _named(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _serve(control: Channel, loaded: Any) -> None:
    wake, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    scratch: dict[int, str] = {}
    while True:
        readable, _, _ = select.select([control.fileno(), wake], [], [])
        if wake in readable:
            os.read(wake, 4096)
            _reap(control, scratch)
        if control.fileno() in readable:
            try:
                message, descriptors = control.receive_with_descriptors()
            except Closed:
                return
            _fork(control, message, descriptors, loaded, scratch)


def _fork(
    control: Channel, message: Message, descriptors: list[int], loaded: Any, scratch: dict[int, str]
) -> None:
    _move(message["cores"])
    folder = tempfile.mkdtemp(prefix="trial-", dir=os.getcwd())
    supervisor_of_child = os.getpid()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        die_with_parent(supervisor_of_child)
        control.close()
        _become(folder, message, descriptors, loaded)
    scratch[pid] = folder
    for descriptor in descriptors:
        os.close(descriptor)
    control.send({"event": "started", "pid": pid, "start_ticks": start_ticks(pid)})


def _become(folder: str, message: Message, descriptors: list[int], loaded: Any) -> None:
    """Run the entry point in a fresh folder and leave without the fork server's exit handlers."""
    status = 1
    try:
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder, PWD=folder)
        tempfile.tempdir = None
        channel = Channel.from_descriptor(descriptors[0])
        _named(message["entry"])(message["request"], channel, loaded, descriptors[1:])
        status = 0
    except BaseException:  # noqa: BLE001 - the supervisor reads it in the log; a dead pipe is no bug
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _reap(control: Channel, scratch: dict[int, str]) -> None:
    while scratch:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if pid == 0:
            return
        if (folder := scratch.pop(pid, None)) is None:
            continue  # a helper that a library started when it was imported
        shutil.rmtree(folder, ignore_errors=True)
        code = os.waitstatus_to_exitcode(status)
        control.send({"event": "exited", "pid": pid, "code": code, "peak_mb": usage.ru_maxrss / 1024})


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
