"""Lists that were made elsewhere, checked against a stored split before test is opened for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.log import KNOWN_PARTS, Part, hidden_rows
from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.store.candidates import candidates_for
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.raw_ids import raw_ids
from benchmark.datasets.tables.identifiers import codes_among
from benchmark.datasets.tables.ranked_lists import RankedRows, read_ranked
from benchmark.errors import DataError
from benchmark.metrics.register import Metric, list_length
from benchmark.metrics.topk import tie_keys
from benchmark.protocol import Array, Ids, Interactions, Longs

BLOCK = 1 << 22
"""Known rows that are compared with the lists together."""
WITHOUT_LISTS = (
    "the candidates are the items that occur in test, and nobody who makes lists elsewhere knows these"
)


@dataclass(frozen=True)
class CheckedLists:
    """Lists of a file, as the ranker would have made them.

    Attributes:
        lists: (U, K) int32, best first, -1 past the last item; a user whom the file lacks has none.
        notes: what was made of the file that it does not say, a sentence each.
    """

    lists: Ids
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ListsCheck:
    """What the lists of one part of a split must be.

    Attributes:
        folder: of the stored split.
        manifest: of the split.
        metrics: that are measured on the lists.
    """

    folder: Path
    manifest: SplitManifest
    metrics: Sequence[Metric]

    @property
    def length(self) -> int:
        """K, of the longest list that a metric asks for."""
        return list_length(self.metrics)

    def read(self, path: Path, part: Part) -> CheckedLists:
        """Return the lists of a file for validation or test.

        Raises:
            DataError: it cannot be read; a user or item is unknown; an item is in a list twice, or hidden
                from its user, or no candidate; two items have one rank; most lists are too short.
        """
        notes: list[str] = []
        users, items = (raw_ids(self.folder, side) for side in ("user", "item"))
        rows = read_ranked(
            path,
            notes.append,
            users_as_text=users.dtype.kind != "i",
            items_as_text=items.dtype.kind != "i",
        )
        dense = DenseRows(
            rows,
            self.known(rows, "user", users),
            self.known(rows, "item", items),
            self.manifest.n_items,
        )
        dense.refuse_twice()
        train, known = load_parts(self.folder, "train"), load_parts(self.folder, *KNOWN_PARTS[part])
        rule = self.manifest.candidates.rule
        candidates = candidates_for(rule, self.folder, train=train, seen=known, target=known)
        dense.refuse_others(candidates, rule)
        hidden = hidden_rows(known, self.manifest.seen)
        dense.refuse_hidden(hidden, " or ".join(KNOWN_PARTS[part]))
        lists, lengths = dense.ranked(self.manifest.n_users, self.length)
        self.refuse_short(path, lengths, hidden, candidates)
        if (lengths > self.length).any():
            notes.append(f"{path}: lists are cut after {self.length} items, the most that a metric asks for")
        return CheckedLists(lists, tuple(notes))

    def known(self, rows: RankedRows, side: str, ids: Array) -> Ids:
        """Return the dense ids of a column.

        Raises:
            DataError: one is not in the data set.
        """
        column = rows.users if side == "user" else rows.items
        dense = codes_among(column, ids)
        unknown = dense < 0
        if unknown.any():
            first = int(unknown.argmax())
            strange = column[unknown].nunique()
            example = repr(ids.tolist()[0])
            alike = f"; none of the file is, and the data set's look like {example}" if unknown.all() else ""
            raise DataError(
                f"{rows.location.row(first)}: {side} {written(column, first)} is not in "
                f"{self.manifest.dataset} ({strange:,} {side}s of the file are not){alike}; lists may hold "
                f"only the {side}s of the data set: leave out the others"
            )
        return dense

    def refuse_short(
        self, path: Path, lengths: Longs, hidden: Interactions, candidates: NDArray[np.bool_] | None
    ) -> None:
        """Check that not most lists are shorter than the metrics ask for, and than the user's candidates.

        Args:
            path: of the lists.
            lengths: items in each user's list, (U,).
            hidden: rows whose items are hidden from their users.
            candidates: whether each item may be recommended, (I,); None for all.

        Raises:
            DataError: they are.
        """
        listed = int(np.count_nonzero(lengths))
        short = np.flatnonzero((lengths > 0) & (lengths < self.length))
        rows = np.isin(hidden.users, short)
        pairs = np.unique(hidden.users[rows].astype(np.int64) * hidden.n_items + hidden.items[rows])
        users, items = np.divmod(pairs, hidden.n_items)
        if candidates is not None:
            users = users[candidates[items]]
        most = hidden.n_items if candidates is None else int(candidates.sum())
        most_of = most - np.bincount(users, minlength=len(lengths))
        short = short[lengths[short] < most_of[short]]
        if 2 * len(short) > listed:
            longest = max(self.metrics, key=lambda metric: metric.k or 0).name
            raise DataError(
                f"{path}: {len(short):,} of {listed:,} lists have fewer than {self.length} items, half of "
                f"them {int(np.median(lengths[short]))} or fewer, and {longest} needs {self.length}: write "
                f"the lists with k = {self.length} or more"
            )


def written(ids: pd.Series, row: int) -> str:
    """Return an id for a message: text in quotes, a number without."""
    return repr(ids.iloc[[row]].tolist()[0])


@dataclass(frozen=True)
class DenseRows:
    """Rows of a file in dense ids.

    Attributes:
        rows: as the file has them.
        users: (N,).
        items: (N,).
        n_items: I.
    """

    rows: RankedRows
    users: Ids
    items: Ids
    n_items: int

    @cached_property
    def codes(self) -> Longs:
        """One number for each pair, (N,)."""
        codes: Longs = self.users.astype(np.int64) * self.n_items + self.items
        return codes

    @cached_property
    def ascending(self) -> Longs:
        """The order in which the codes ascend, (N,)."""
        return np.argsort(self.codes, kind="stable")

    def fault(self, wrong: NDArray[np.bool_], what: str, cure: str) -> DataError:
        """Return the complaint about rows, naming the first of them."""
        first, count = int(wrong.argmax()), int(wrong.sum())
        user, item = written(self.rows.users, first), written(self.rows.items, first)
        return DataError(
            f"{self.rows.location.row(first)}: item {item} in the list of user {user} {what} "
            f"({count:,} of {len(wrong):,} rows); {cure}"
        )

    def refuse_twice(self) -> None:
        """Check that each item is in a list once.

        Raises:
            DataError: one is there twice.
        """
        codes, order = self.codes, self.ascending
        again = np.zeros(len(codes), dtype=np.bool_)
        again[order[1:]] = codes[order[1:]] == codes[order[:-1]]
        if again.any():
            raise self.fault(again, "is there twice", "each item may be in a list once: leave out the second")

    def refuse_others(self, candidates: NDArray[np.bool_] | None, rule: str) -> None:
        """Check that every item is a candidate.

        Raises:
            DataError: one is not.
        """
        if candidates is not None and not (allowed := candidates[self.items]).all():
            raise self.fault(
                ~allowed,
                "is no candidate",
                f"only some items may be recommended (metrics.candidates: {rule}): leave out the others",
            )

    def refuse_hidden(self, hidden: Interactions, parts: str) -> None:
        """Check that nobody is shown an item that is hidden from the lists of all models.

        Raises:
            DataError: somebody is.
        """
        order = self.ascending
        ascending, seen = self.codes[order], np.zeros(len(order), dtype=np.bool_)
        for first in range(0, len(hidden), BLOCK):
            block = slice(first, first + BLOCK)
            wanted = hidden.users[block].astype(np.int64) * self.n_items + hidden.items[block]
            places = np.minimum(ascending.searchsorted(wanted), len(ascending) - 1)
            seen[order[places[ascending[places] == wanted]]] = True
        if seen.any():
            raise self.fault(
                seen,
                f"is hidden: the user has had it, in {parts}",
                "no model may recommend such items: leave them out (`bench export-split` writes what users "
                "have had)",
            )

    def ranked(self, n_users: int, length: int) -> tuple[Ids, Longs]:
        """Return the lists (U, K), best first, and how many items the file has for each user, (U,).

        Equal scores come in the order that the ranker draws for each user.

        Raises:
            DataError: two items of a user have one rank.
        """
        ties = tie_keys(self.users, self.items[:, None], seed=0)[:, 0]
        order = np.lexsort((ties, self.rows.order, self.users))
        users, places = self.users[order], self.rows.order[order]
        if self.rows.is_rank:
            same = np.zeros(len(order), dtype=np.bool_)
            same[order[1:]] = (users[1:] == users[:-1]) & (places[1:] == places[:-1])
            if same.any():
                raise self.fault(
                    same,
                    f"has the {self.rows.by} of another one",
                    "each item of a list needs a rank of its own",
                )
        lengths = np.bincount(users, minlength=n_users).astype(np.int64)
        starts = np.concatenate([[0], lengths.cumsum()])[:-1]
        position = np.arange(len(order)) - starts[users]
        kept = position < length
        lists = np.full((n_users, length), -1, dtype=np.int32)
        lists[users[kept], position[kept]] = self.items[order][kept]
        return lists, lengths
