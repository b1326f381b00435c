"""Where a pass over the data is cut into steps, as the engine asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.protocol import FitContext, Interactions

LARGE = 2_000_000
"""Rows from which on batches grow with the log."""
BATCHES = 500
"""Batches of a pass over a large log: each costs as much as all vectors are many, however small it is."""


@dataclass(frozen=True)
class Pace:
    """How many rows a pass has, and how many of them a step may train.

    A pass is cut at whole batches into steps of about equal length, so that every pass has the same steps
    and no cut changes what is computed. Where the batches are fewer than the steps, each is a step.

    Attributes:
        rows: N, of the log.
        step_rows: that a step may train; None for all of them.
        of_rows: of the log that these are a sample of; None where they are all of it.
    """

    rows: int
    step_rows: int | None = None
    of_rows: int | None = None

    @classmethod
    def of(cls, train: Interactions, context: FitContext) -> Pace:
        """Return the pace that the engine asks for."""
        return cls(len(train), context.step_rows, context.of_rows)

    @property
    def steps(self) -> int:
        """How many steps make up a pass.

        >>> Pace(1000).steps, Pace(1000, step_rows=250).steps, Pace(1000, step_rows=249).steps
        (1, 4, 5)
        """
        return 1 if self.step_rows is None else max(1, -(-self.rows // self.step_rows))

    def batch_rows(self, batch_size: int, n_rows: int) -> int:
        """Return how many rows a batch has: ``batch_size``, or more on a large log and in samples of it.

        Args:
            batch_size: as the adapter is told.
            n_rows: of the rows that are put into batches: interactions, or users.

        >>> Pace(1_000_000).batch_rows(1024, 1_000_000), Pace(5_000_000).batch_rows(1024, 5_000_000)
        (1024, 10000)
        >>> Pace(50_000, of_rows=5_000_000).batch_rows(1024, 50_000)
        10000
        """
        whole = n_rows if self.of_rows is None else n_rows * self.of_rows // max(self.rows, 1)
        return max(batch_size, -(-whole // BATCHES)) if whole > LARGE else batch_size

    def ends(self, n_batches: int) -> dict[int, int]:
        """Return after how many of a pass's batches each step ends, with the rows that the step trained.

        Batches count as equally long; where they are users', which hold different numbers of rows, they are
        so on average. The rows of a pass always add up to N.

        >>> Pace(1000, step_rows=250).ends(10)
        {3: 300, 5: 200, 8: 300, 10: 200}
        >>> Pace(1000).ends(10), Pace(1000, step_rows=10).ends(2)
        ({10: 1000}, {1: 500, 2: 500})
        """
        n = max(n_batches, 1)
        stops = sorted({-(-n * step // self.steps) for step in range(1, self.steps + 1)})
        rows = [self.rows * stop // n for stop in stops]
        return {stop: end - start for stop, start, end in zip(stops, [0, *rows], rows, strict=False)}

    def passes(self, steps: Iterator[int], n: int) -> Iterator[int]:
        """Yield what steps yield, the rows of each, until n passes are trained; no further step is begun."""
        left = n * self.rows
        while left > 0:
            rows = next(steps)
            left -= rows
            yield rows
