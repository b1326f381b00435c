"""Passes of a library whose training is one call: it is run in a thread that waits after each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Semaphore, Thread


class Stopped(BaseException):
    """Ends a training that nobody waits for any more; no ``except Exception`` of a library holds it up."""


def passes(train: Callable[[Callable[[], None]], object]) -> Iterator[None]:
    """Train, and yield after each pass while the training waits; closing the generator ends the training.

    For libraries that train in one call and tell about each pass by a callback or by the iterator of their
    progress bar. What the model holds may be read at each yield: the thread does nothing meanwhile.

    Args:
        train: trains when it is called; calls what it is given after each pass.

    Raises:
        Exception: whatever the training raises.

    >>> seen = []
    >>> def train(after_pass):
    ...     for number in range(3):
    ...         seen.append(number)
    ...         after_pass()
    >>> [len(seen) for _ in passes(train)]
    [1, 2, 3]
    """
    ready, go = Semaphore(0), Semaphore(0)
    running, stop = True, False
    raised: list[BaseException] = []

    def after_pass() -> None:
        ready.release()
        go.acquire()
        if stop:
            raise Stopped

    def run() -> None:
        nonlocal running
        try:
            train(after_pass)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 (raised below, where it is waited for)
            raised.append(error)
        running = False
        ready.release()

    thread = Thread(target=run, daemon=True)
    thread.start()
    ready.acquire()
    while running:
        try:
            yield
        except GeneratorExit:
            stop = True
            go.release()
            thread.join()
            raise
        go.release()
        ready.acquire()
    thread.join()
    if raised:
        raise raised[0]
