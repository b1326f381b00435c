"""Hold one child, print its number and its nursery's, and wait to be killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmark.executors.local import Nursery, SetUp
from benchmark.executors.slots import Slot

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parent))
    nursery = Nursery(Slot((), 1024.0), SetUp([], "children:nothing", {}), log=lambda _: None)
    child = nursery.launch("children:ignores_everything", {})
    child.channel.receive()
    print(nursery.pid, child.pid, flush=True)
    time.sleep(600)
