"""Hold one child, print its number and its fork server's, and wait to be killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmark.executors.local import ForkServer, Preload
from benchmark.executors.slots import Slot
from benchmark.messages import Ready

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parent))
    fork_server = ForkServer(Slot((), 1024.0), Preload([], "children:nothing", {}), log=lambda _: None)
    child = fork_server.launch("children:ignores_everything", Ready())
    child.channel.receive()
    print(fork_server.pid, child.pid, flush=True)
    time.sleep(600)
