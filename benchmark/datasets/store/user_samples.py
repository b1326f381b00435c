"""Samples of users, stored with a split: whom trials are validated on, and whom finals are scored on.

Users come in an order drawn once, and the first n of it are the sample of n: smaller samples are nested.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmark.datasets.log import Part
from benchmark.datasets.store.candidates import save_array
from benchmark.datasets.store.columns import mapped
from benchmark.protocol import Ids, Interactions

PURPOSES: Mapping[Part, str] = {"valid": "users of validation", "test": "users of test"}
DECOYS = "users without a row in test"
ASKED = "final-users.npy"


def users_of(rows: Interactions) -> Ids:
    """Return who has a row, ascending."""
    return np.flatnonzero(np.bincount(rows.users, minlength=rows.n_users)).astype(np.int32)


def in_drawn_order(users: Ids, seed: int, purpose: str) -> Ids:
    """Return users in an order that depends on seed, purpose and how many they are, and on nothing else.

    >>> users = np.arange(5, dtype=np.int32)
    >>> first, other = (in_drawn_order(users, 1, purpose).tolist() for purpose in ("a", "b"))
    >>> sorted(first), first == in_drawn_order(users, 1, "a").tolist(), first == other
    ([0, 1, 2, 3, 4], True, False)
    """
    word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, word]).permutation(users)


def drawn_users(part: Part, rows: Interactions, seed: int) -> Ids:
    """Return the users of a part in the order in which they are drawn."""
    return in_drawn_order(users_of(rows), seed, PURPOSES[part] + (secret(rows) if part == "test" else ""))


def secret(test: Interactions) -> str:
    """Return what nobody knows who does not know test: without it, who is asked would tell who is in test."""
    return hashlib.sha256(test.users.tobytes() + test.items.tobytes()).hexdigest()


def asked_users(test: Interactions, count: int, seed: int) -> Ids:
    """Return whose lists a final that is scored on ``count`` users of test makes, ascending.

    Users without a row in test are among them in the same proportion as in the log: every user is asked
    about with the same probability, so that who is tells nothing about who has a row in test.
    """
    tested = drawn_users("test", test, seed)
    others = np.setdiff1d(np.arange(test.n_users, dtype=np.int32), tested)
    decoys = round(len(others) * min(count, len(tested)) / max(len(tested), 1))
    return np.sort(
        np.concatenate([tested[:count], in_drawn_order(others, seed, DECOYS + secret(test))[:decoys]])
    )


def finals_users(folder: Path) -> Ids:
    """Return whose lists a final makes that is scored on a sample, ascending: see :func:`asked_users`.

    Raises:
        DataError: the stored users are missing.
    """
    return mapped(folder / ASKED)


def store_users(folder: Path, part: Part, users: Ids) -> str:
    """Store the users drawn of a part, in the order drawn; return their hash."""
    save_array(users_path(folder, part), users)
    return users_sha256(users)


def load_users(folder: Path, part: Part) -> Ids:
    """Return the users drawn of a part, ascending.

    Raises:
        DataError: they are missing.
    """
    return np.sort(mapped(users_path(folder, part)))


def users_path(folder: Path, part: Part) -> Path:
    """Return the file with the users drawn of a part."""
    return folder / f"{part}-users.npy"


def users_sha256(users: Ids) -> str:
    """Return the hash of users, whatever their order."""
    return hashlib.sha256(np.sort(users).astype("<i4").tobytes()).hexdigest()


def restricted(rows: Interactions, negatives: Ids | None, users: Ids) -> tuple[Interactions, Ids | None]:
    """Return the rows of some users of a part, and their negatives.

    Args:
        rows: of the part, N.
        negatives: of every user of the part, ascending, (E, n); None where no metric draws any.
        users: in any order.
    """
    chosen = np.zeros(rows.n_users, dtype=np.bool_)
    chosen[users] = True
    of_users = None if negatives is None else negatives[chosen[users_of(rows)]]
    return rows.rows(chosen[rows.users]), of_users
