"""Lists made elsewhere: where they came from, each opening of test for them, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from benchmark.records.entries import FinalOpened, FinalRecord
from benchmark.records.origins import SourceFile
from benchmark.records.outcomes import Cost, Ending


@dataclass(frozen=True, kw_only=True)
class ListsSource:
    """What a row without a study is made of.

    Attributes:
        test: the file with the lists for test.
        valid: that with the lists for validation; None if there is none.
        split: content hash of the split that they were checked against.
        metrics_version: of the formulas that they were measured with.
        notes: what was made of the files that they do not say themselves, a sentence each.
    """

    test: SourceFile
    valid: SourceFile | None
    split: str
    metrics_version: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ListsOpened(FinalOpened):
    """Test was opened for lists made elsewhere: see :class:`ListsRecord`.

    Nobody here knows what they were trained on: ``train_on`` is what the board ranks.

    Attributes:
        split: content hash of the split whose test it was.
        added: whether they came to a finished run, by ``bench score``.
    """

    event: ClassVar[str] = "lists-opened"
    split: str
    added: bool

    def closed(self, ending: Ending, cost: Cost) -> ListsRecord:
        """Return the record of its end, without a result."""
        return self.closed_as(ListsRecord, ending, cost)


@dataclass(frozen=True, kw_only=True)
class ListsFound:
    """What the scorer found in lists, besides the values on test.

    Attributes:
        with_list: evaluated users who have a list.
        short: of these, with fewer items than a metric asks for, although there are more candidates.
        valid: every metric on validation; empty without lists for it.
    """

    with_list: int
    short: int
    valid: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ListsRecord(FinalRecord):
    """Lists made elsewhere, as scored on test: no trial, no seed, and charged to nobody.

    Attributes:
        split: content hash of the split.
        added: whether they came to a finished run, by ``bench score``.
        found: besides the values on test; None unless it is complete.
    """

    event: ClassVar[str] = "lists-closed"
    split: str
    added: bool
    found: ListsFound | None = None
