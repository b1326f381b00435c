"""Held-out pairs hidden among decoys, so that who is asked to rate them all cannot tell which are held out.

Decoys begin as nine copies of the held-out pairs; then pairs swap their items, again and again, until none
is held out, known, or there twice. A swap leaves every user and every item as often as before, and partners
are chosen among users of nearly equal activity and items of nearly equal popularity: whoever looks at counts
of users and items, or at how the two go together, sees the same in decoys as in held-out pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.metrics.topk import batch_size, entries
from benchmark.protocol import Ids, Longs, Values

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

DECOYS = 9
"""Of each held-out pair."""
FEW_USERS = 100
"""Fewer cannot hide one another's pairs: all their items are asked."""
SMALL_GRID = 1 << 16
"""So few pairs of user and item are asked whole: it costs nothing and tells nothing."""
MOST_PAIRS = 1 << 15
"""Held-out pairs of one block: its decoys take some 100 MB while they are made."""
SWEEPS = 16
NEAR_ITEMS, NEAR = 16, 1 / 16
"""How far apart in popularity items are swapped at first: so many items, or a share of a block's."""
KNOWN, TAKEN = 1, 3
"""What is wrong with a decoy: the user is known to have had the item; it is held out, or there twice."""


@dataclass(frozen=True)
class Pool:
    """Pairs to be rated, those held out among them, in the order of user and item.

    Attributes:
        asked_for: (B,) users whose held-out pairs are all here, ascending.
        users: (P,).
        items: (P,).
    """

    asked_for: Ids
    users: Ids
    items: Ids


def pools(users: Ids, items: Ids, known: csr_matrix, seed: int) -> Iterator[Pool]:
    """Yield the held-out pairs among decoys, users of about equal activity together.

    Where users come back to items, held-out pairs that are known hide among all known pairs of their users.

    Args:
        users: of each held-out pair, (N,); a pair may be there more than once.
        items: of each, (N,).
        known: (U, I) with an entry at each pair that the model may have learned from, items ascending.
        seed: of the decoys. Whoever knows it, and guesses what is held out, could check the guess.
    """
    n_items = known.shape[1]
    held_out = np.unique(users.astype(np.int64) * n_items + items)
    owners, starts = np.unique(held_out // n_items, return_index=True)
    bounds = np.append(starts, len(held_out))
    if len(owners) < FEW_USERS or known.shape[0] * n_items <= max(SMALL_GRID, (1 + DECOYS) * len(held_out)):
        yield from _grid(owners.astype(np.int32), n_items)
        return
    generator = np.random.default_rng(seed)
    popularity = np.bincount(known.indices, minlength=n_items)
    repeated = _is_in(held_out, _known_codes(known, owners)).any()
    order = np.argsort(np.diff(known.indptr)[owners], kind="stable")
    for chosen in np.split(order, _cuts(np.diff(bounds)[order])):
        mine = np.sort(chosen)
        own = entries(bounds, held_out, mine.astype(np.int32))[1].astype(np.int64)
        forbidden = _known_codes(known, owners[mine])
        new = own[~_is_in(own, forbidden)]
        asked = [own, _Decoys.of(new, forbidden, popularity, generator).codes]
        codes = np.unique(np.concatenate([*asked, forbidden] if repeated else asked))
        yield Pool(owners[mine].astype(np.int32), *_pairs(codes, n_items))


def _grid(owners: Ids, n_items: int) -> Iterator[Pool]:
    """Yield all pairs of these users."""
    size = batch_size(n_items)
    for first in range(0, len(owners), size):
        some = owners[first : first + size]
        yield Pool(some, np.repeat(some, n_items), np.tile(np.arange(n_items, dtype=np.int32), len(some)))


def _cuts(held_out: Longs) -> list[int]:
    """Return where to cut users into blocks with enough users and pairs to swap, but no more."""
    target = min(MOST_PAIRS, max(int(held_out.sum()) // 64, 512))
    ends, cuts, first = held_out.cumsum(), [0], 0
    while first < len(held_out):
        before = ends[first - 1] if first else 0
        first = max(int(np.searchsorted(ends, before + target)) + 1, first + FEW_USERS)
        cuts.append(first)
    if len(cuts) > 2 and len(held_out) - cuts[-2] < FEW_USERS:
        del cuts[-2]
    return cuts[1:-1]


def _known_codes(known: csr_matrix, users: Longs) -> Longs:
    """Return the known pairs of ascending users as ascending codes, user * I + item."""
    rows, columns = entries(known.indptr, known.indices, users.astype(np.int32))
    codes: Longs = users[rows].astype(np.int64) * known.shape[1] + columns
    return codes


def _pairs(codes: Longs, n_items: int) -> tuple[Ids, Ids]:
    return (codes // n_items).astype(np.int32), (codes % n_items).astype(np.int32)


def _is_in(codes: Longs, ascending: Longs) -> NDArray[np.bool_]:
    """Return which codes are among ascending ones."""
    if not len(ascending):
        return np.zeros(len(codes), dtype=np.bool_)
    found: NDArray[np.bool_] = (
        ascending[np.minimum(ascending.searchsorted(codes), len(ascending) - 1)] == codes
    )
    return found


@dataclass
class _Decoys:
    """The decoys of one block of users while they are made, M of them.

    Attributes:
        users: (M,), each times I: a code without its item.
        items: (M,), in the order of their popularity at first.
        place: (M,) where each item is in that order.
        rank: (M,) which item each decoy had first: 0 for the least popular of the block.
        starts: where the copies of each rank start in that order, and where the last end.
        faults: (M,) what is wrong with each, apart from being there twice.
        held_out: codes of the pairs that decoys hide, ascending.
        known: codes of known pairs, ascending.
        popularity: (I,) known users of each item.
        generator: draws.
    """

    users: Longs
    items: Longs
    place: Longs
    rank: Longs
    starts: Longs
    faults: NDArray[np.int8]
    held_out: Longs
    known: Longs
    popularity: Longs
    generator: np.random.Generator

    @classmethod
    def of(cls, held_out: Longs, known: Longs, popularity: Longs, generator: np.random.Generator) -> _Decoys:
        """Return nine decoys of each held-out pair, distinct and none of them held out."""
        copies = np.tile(held_out, DECOYS)
        items = copies % len(popularity)
        order = np.lexsort((generator.random(len(copies)), items, popularity[items]))
        users, items = copies[order] - items[order], items[order]
        is_first = np.append(True, items[1:] != items[:-1])
        rank, starts = is_first.cumsum() - 1, np.append(np.flatnonzero(is_first), len(items))
        place = np.argsort(rank + NEAR_ITEMS * generator.random(len(items)))
        faults = np.zeros(len(items), dtype=np.int8)
        made = cls(users, items[place], place, rank, starts, faults, held_out, known, popularity, generator)
        made.faults = made.faults_of(made.codes)
        left = len(items) + 1
        for sweep in range(SWEEPS):
            before = left
            left, must_go = made.swap(far=2.0 ** max(0, sweep - SWEEPS // 3))
            if not must_go and left >= 0.97 * before:
                break
        made.replace_taken()
        return made

    @property
    def codes(self) -> Longs:
        """The pairs, as codes."""
        return self.users + self.items

    def faults_of(self, codes: Longs) -> NDArray[np.int8]:
        """Return what is wrong with pairs, apart from being there twice."""
        known = np.where(_is_in(codes, self.known), np.int8(KNOWN), np.int8(0))
        return np.where(_is_in(codes, self.held_out), np.int8(TAKEN), known)

    def taken(self, codes: Longs, ascending: Longs) -> NDArray[np.bool_]:
        """Return which decoys must not stay, held out or there twice, from their codes and these in order."""
        twice = np.unique(ascending[1:][ascending[1:] == ascending[:-1]])
        taken: NDArray[np.bool_] = (self.faults == TAKEN) | _is_in(codes, twice)
        return taken

    def window(self, decoys: Longs, near: Values) -> tuple[Longs, Longs]:
        """Return from where to where the items lie that are at most so many ranks from a decoy's first."""
        n = len(self.starts) - 1
        wide = np.minimum(near, n).astype(np.int64)
        low = np.clip(self.rank[decoys] - wide, 0, np.maximum(n - 2 * wide - 1, 0))
        return self.starts[low], self.starts[np.minimum(low + 2 * wide + 1, n)]

    def swap(self, far: float) -> tuple[int, int]:
        """Let faulty decoys swap items with others where that mends more than it spoils.

        Args:
            far: how much farther away in popularity partners are looked for, of decoys that must not stay.

        Returns:
            How many decoys were faulty, and how many of them must not stay.
        """
        codes, n = self.codes, len(self.items)
        present = np.sort(codes)
        taken = self.taken(codes, present)
        bad = faulty = np.flatnonzero(taken | (self.faults > 0))
        near = np.where(taken[bad], far, 1.0) * max(NEAR_ITEMS, NEAR * (len(self.starts) - 1))
        low, high = self.window(bad, near)
        at = np.empty(n, dtype=np.int64)
        at[self.place] = np.arange(n)
        other = at[self.generator.integers(low, high)]  # an item about as popular as the first
        low, high = self.window(other, near)
        # Each decoy takes part in one swap at most: the first, in a random order, that wants it.
        turn = self.generator.permutation(len(bad))
        first = np.full(n, len(bad))
        np.minimum.at(first, bad, turn)
        np.minimum.at(first, other, turn)
        free = (first[bad] == turn) & (first[other] == turn) & (bad != other)
        free &= (low <= self.place[bad]) & (self.place[bad] < high)  # and so for the other
        bad, other = bad[free], other[free]
        pairs = self.users[bad] + self.items[other], self.users[other] + self.items[bad]
        found = [self.faults_of(pair) for pair in pairs]
        after = sum(
            np.where(_is_in(pair, present), TAKEN, fault) for pair, fault in zip(pairs, found, strict=True)
        )
        before = np.where(taken, TAKEN, self.faults)
        better = after < before[bad] + before[other]
        one, two = bad[better], other[better]
        for column in (self.items, self.place):
            column[one], column[two] = column[two], column[one]
        self.faults[one], self.faults[two] = found[0][better], found[1][better]
        return len(faulty), int(np.count_nonzero(taken))

    def replace_taken(self) -> None:
        """Give decoys that must not stay another item of about equal popularity; leave out what has none."""
        by_popularity = np.argsort(self.popularity, kind="stable")
        place = np.empty_like(by_popularity)
        place[by_popularity] = np.arange(len(place))
        for width in 2 ** np.arange(2, 24):
            codes = self.codes
            present = np.sort(codes)
            bad = np.flatnonzero(self.taken(codes, present))
            if not len(bad):
                return
            steps = self.generator.integers(-width, width + 1, len(bad))
            drawn = by_popularity[np.clip(place[self.items[bad]] + steps, 0, len(place) - 1)]
            codes = self.users[bad] + drawn
            faults = self.faults_of(codes)
            free = (faults != TAKEN) & ~_is_in(codes, present)
            self.items[bad[free]], self.faults[bad[free]] = drawn[free], faults[free]
        left = ~self.taken(self.codes, np.sort(self.codes))
        self.users, self.items, self.faults = self.users[left], self.items[left], self.faults[left]
