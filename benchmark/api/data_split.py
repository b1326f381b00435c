"""What splits and evaluated lists look like in memory: frames to learn from, values by metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.datasets.tables.frames import Frame, FrameKind, as_arrow, as_kind
from benchmark.errors import did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from benchmark.datasets.log import Part
    from benchmark.datasets.manifest import SplitManifest
    from benchmark.runner.splits import StoredSplit
    from benchmark.suite import Suite


@dataclass(frozen=True, repr=False)
class DataSplit:
    """A split to make lists on: train and validation as frames; test stays closed until lists are measured.

    Attributes:
        suite: what was split, and how.
        stored: the split.
        kind: which library its frames are of.
        run: the run that it belongs to; None if it is this object's own, and is deleted with it.
    """

    suite: Suite
    stored: StoredSplit
    kind: FrameKind = "pandas"
    run: Path | None = None

    def __repr__(self) -> str:
        manifest = self.manifest
        rows = ", ".join(f"{part} {counts.rows:,}" for part, counts in manifest.parts.items())
        size = f"{manifest.n_users:,} users, {manifest.n_items:,} items"
        return f"<DataSplit {manifest.dataset}: {rows} rows; {size}>"

    def _repr_html_(self) -> str:
        """Return the same for a notebook, with how it was split."""
        return f"<p><bdi>{escape(repr(self)[1:-1])}</bdi>; split {self.manifest.hash[:8]}</p>"

    @property
    def manifest(self) -> SplitManifest:
        """What was split, by which rule, and the audit of it."""
        return self.stored.manifest

    @property
    def train(self) -> Any:
        """The rows to learn from, a frame: columns as the log names them, and ``like`` for what is wanted."""
        return self._frame("train")

    @property
    def valid(self) -> Any:
        """The rows of validation, likewise: what ``evaluate`` looks for in lists unless it is told."""
        return self._frame("valid")

    @property
    def names(self) -> Mapping[str, str]:
        """How the log names its columns, by what they are: user, item, value, time."""
        from benchmark.datasets.sources.synthetic import STAND_IN

        label = self.stored.label.replace(STAND_IN, "")
        spec = next(one for one in self.suite.datasets if label in self.suite.split.labels(one.name))
        given = {"user": spec.user, "item": spec.item, "value": spec.value, "time": spec.time}
        return {role: name for role, name in given.items() if name is not None}

    def _frame(self, part: Part) -> Any:
        """Return the rows of a part."""
        from benchmark.datasets.store.parts import load_parts
        from benchmark.datasets.store.raw_ids import raw_ids
        from benchmark.handout import block_of

        folder = self.stored.directory
        rows = load_parts(folder, part)
        ids = {side: raw_ids(folder, side) for side in ("user", "item")}
        table = block_of(rows, slice(None), self.manifest, ids)
        names = [self.names.get(name, name) for name in table.column_names]
        return as_kind(table.rename_columns(names), self.kind)


@dataclass(frozen=True)
class Evaluated:
    """What lists are worth on one part of a split.

    Attributes:
        part: "valid" or "test".
        values: of each metric that lists can give, the primary one first.
        users: who has rows in the part.
        with_list: of these, how many have a list; for the others nothing was shown, so nothing was found.
        notes: what was made of the lists that they do not say, a sentence each.
    """

    part: Part
    values: Mapping[str, float]
    users: int
    with_list: int
    notes: tuple[str, ...] = ()

    def __getitem__(self, metric: str) -> float:
        """Return the value of a metric, such as ``found["ndcg@10"]``.

        Raises:
            KeyError: it was not measured.
        """
        if metric not in self.values:
            raise KeyError(f"{metric}{did_you_mean(metric, self.values)}; there are {', '.join(self.values)}")
        return self.values[metric]

    def to_pandas(self) -> pd.Series:
        """Return the values with full precision, by metric."""
        import pandas as pd

        return pd.Series(dict(self.values), name=self.part)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {value:.4f}" for name, value in self.values.items())
        return f"<Evaluated on {self.part}: {shown}; lists for {self.with_list:,} of {self.users:,} users>"

    def _repr_html_(self) -> str:
        """Return the values as a table for a notebook."""
        cells = "".join(
            f"<tr><th>{escape(name)}</th><td>{value:.4f}</td></tr>" for name, value in self.values.items()
        )
        notes = "".join(f"<li><bdi>{escape(note)}</bdi></li>" for note in self.notes)
        caption = f"{self.part}: lists for {self.with_list:,} of {self.users:,} users"
        return f"<table><caption>{caption}</caption>{cells}</table>" + (f"<ul>{notes}</ul>" if notes else "")


def lists_table(lists: Frame, names: Mapping[str, str]) -> pa.Table:
    """Return lists with the columns ``user`` and ``item``, whatever the log calls these.

    Args:
        lists: a row for each item of a list; levels of its index, if it is of pandas, count as columns.
        names: how the log names its columns, by what they are.

    Raises:
        DataError: it is a single column, or holds what is neither numbers, text nor dates.
    """
    table = as_arrow(lists, None, "lists")
    own = {name: role for role, name in names.items() if role in {"user", "item"}}
    return table.rename_columns([own.get(name, name) for name in table.column_names])
