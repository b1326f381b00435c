"""Jobs side by side in threads that live as long as the run, and a clean end when the user stops it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from benchmark.errors import Interrupted


@dataclass(frozen=True)
class Jobs:
    """Threads for one run."""

    threads: ThreadPoolExecutor
    stop: threading.Event

    def run(self, jobs: Iterable[Callable[[], None]]) -> None:
        """Run jobs, as many at once as there are threads; stop all when one fails or the user does."""
        futures: list[Future[None]] = []
        try:
            futures += [self.threads.submit(job) for job in jobs]
            pending = set(futures)
            while pending:
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
        except BaseException:
            self.stop.set()
            for future in futures:
                future.cancel()
            wait(futures)
            raise


@contextmanager
def jobs(count: int, stop: threading.Event) -> Iterator[Jobs]:
    """Return ``count`` threads; all jobs have ended when the block is left."""
    with _interrupts(), ThreadPoolExecutor(count) as threads:
        yield Jobs(threads, stop)


@contextmanager
def _interrupts() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end a run in the same clean way; more of them while it ends change nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)

    def once(*_: Any) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, once) for number in numbers}
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted("stopped") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
