"""Columns of the stored finals of one data set, read where they are asked for and held where asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from benchmark.protocol import Array, Ids
from benchmark.records import ConfigSource, TrainOn
from benchmark.results import PerUserPart


@dataclass(frozen=True)
class StoredColumns:
    """What is stored of each user by every final of one data set.

    A table needs the primary metric of all finals again and again, so its column is held; of all others,
    and of the lists, one final's are in memory at a time.

    Attributes:
        parts: of the finals.
    """

    parts: Sequence[PerUserPart]
    _held: dict[tuple[int, str], Array] = field(default_factory=dict, repr=False)
    _audiences: list[Ids] = field(default_factory=list, repr=False)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the columns that any final has."""
        return frozenset(name for part in self.parts for name in part.columns)

    def of(self, model: str, train_on: TrainOn | None, source: ConfigSource = "tuned") -> list[PerUserPart]:
        """Return the finals of a model by seed, of one configuration, trained on these parts (None: any)."""
        found = [
            part
            for part in self.parts
            if part.final.model == model
            and part.final.config_source == source
            and train_on in {None, part.final.train_on}
        ]
        return sorted(found, key=lambda part: part.final.seed)

    def users(self, part: PerUserPart) -> Ids:
        """Return the evaluated users of a final, (E,) ascending; one array where finals share them."""
        return self.held(part, "user")

    def held(self, part: PerUserPart, name: str) -> Array:
        """Return a column (E,) that is asked for again: it is read once and stays in memory."""
        key = id(part), name
        if key not in self._held:
            column = part.column(name)
            if name == "user":
                column = next((one for one in self._audiences if np.array_equal(one, column)), column)
                if not any(one is column for one in self._audiences):
                    self._audiences.append(column)
            self._held[key] = column
        return self._held[key]

    @property
    def audience(self) -> Ids:
        """Every user that a final evaluated, ascending."""
        for part in self.parts:
            self.users(part)
        everyone: Ids = np.unique(np.concatenate(self._audiences)).astype(np.int32)
        return everyone
