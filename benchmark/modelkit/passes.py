"""Passes of a library whose training is one call: it is run in a thread that waits after each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Semaphore, Thread


class Stopped(BaseException):
    """Ends a training that nobody waits for any more; no ``except Exception`` of a library holds it up."""


class HeldTraining:
    """A training in a thread that runs while it is waited for, and waits while it is not."""

    def __init__(self, train: Callable[[Callable[[], None]], object], every: int) -> None:
        """Start the thread; it waits before the first pass."""
        self._train, self._every, self._passes = train, every, 0
        self._ready, self._go = Semaphore(0), Semaphore(0)
        self._running, self._stop = True, False
        self._raised: list[BaseException] = []
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def advance(self) -> bool:
        """Let it go on until it waits again; return False where it has ended.

        Raises:
            Exception: whatever the training raised.
        """
        self._go.release()
        self._ready.acquire()
        if not self._running:
            self._thread.join()
        if self._raised:
            raise self._raised[0]
        return self._running

    def end(self) -> None:
        """End it where it waits."""
        self._stop = True
        self._go.release()
        self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._train(self._after_pass)
            if self._passes % self._every:
                self._wait()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 (raised where it is waited for)
            self._raised.append(error)
        self._running = False
        self._ready.release()

    def _after_pass(self) -> None:
        self._passes += 1
        if self._passes % self._every == 0:
            self._wait()

    def _wait(self) -> None:
        self._ready.release()
        self._go.acquire()
        if self._stop:
            raise Stopped


DRAWS_A_STEP, MOST_PASSES = 400_000, 5


def passes_a_step(rows: int) -> int:
    """Return how many passes make a step, of a model that draws one row after another with one negative.

    As many as make 400,000 draws, five at most: a pass over a small log moves vectors so little that early
    stopping would end a trial while its biases learn popularity, which they do first.

    >>> passes_a_step(80_000), passes_a_step(150_000), passes_a_step(6_000_000)
    (5, 2, 1)
    """
    return max(1, min(MOST_PASSES, DRAWS_A_STEP // max(rows, 1)))


def passes(train: Callable[[Callable[[], None]], object], every: int = 1) -> Iterator[None]:
    """Train, and yield after passes while the training waits; closing the generator ends the training.

    For libraries that train in one call and tell about each pass by a callback or by the iterator of their
    progress bar. What the model holds may be read at each yield: the thread does nothing meanwhile.

    Args:
        train: trains when it is called; calls what it is given after each pass.
        every: yield after so many passes, and after the last.

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
    training = HeldTraining(train, every)
    while training.advance():
        try:
            yield
        except GeneratorExit:
            training.end()
            raise
