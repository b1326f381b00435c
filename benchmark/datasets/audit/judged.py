"""Whom a split can judge, why not the others, and how much there is to choose from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.audit.split_audit import occurring
from benchmark.datasets.manifest import FEW_USERS, CandidateRule, SplitManifest
from benchmark.datasets.split.rules import Split, rows_needed
from benchmark.protocol import Interactions, Longs
from benchmark.records import Finding, JudgedUsers, NotJudged

MANY_COLD = 0.5
PERIODS = frozenset({"global_time", "rolling_time"})


def judged_users(split: Split, candidates: CandidateRule = "all") -> JudgedUsers:
    """Return whom a split can judge.

    Args:
        split: three parts of a log.
        candidates: which items are ranked.
    """
    train, valid, test, n_users = split.train, split.valid, split.test, split.train.n_users
    relevant = to_find(test, (train, valid), split.manifest)
    counts = np.bincount(test.users[relevant], minlength=n_users)
    tested, judged, trained = occurring(test.users, n_users), counts > 0, occurring(train.users, n_users)
    left = items_left(split, candidates)
    irrelevant = left - counts if candidates in {"all", "cold-items"} else left
    tuned_on = valid.users[to_find(valid, (train,), split.manifest)]
    return JudgedUsers(
        users=int(judged.sum()),
        of=n_users,
        others=tuple(not_judged(split.manifest, tested, judged)),
        tuned_on=int(occurring(tuned_on, n_users).sum()),
        cold=int((judged & ~trained).sum()),
        rows=len(test),
        likes=int(test.positive.sum()),
        most_candidates=int(left[tested].max(initial=0)),
        most_irrelevant=int(irrelevant[judged].max(initial=0)),
        most_relevant=int(counts.max(initial=0)),
    )


def to_find(part: Interactions, seen: tuple[Interactions, ...], manifest: SplitManifest) -> NDArray[np.bool_]:
    """Return which rows of a part are relevant, (N,): positive, each pair once, and not hidden as seen."""
    if manifest.pairs == "once":
        return part.positive
    pairs, *earlier = (pair_numbers(rows) for rows in (part, *seen))
    liked, found = np.flatnonzero(part.positive), np.zeros(len(part), dtype=np.bool_)
    found[liked[np.unique(pairs[liked], return_index=True)[1]]] = True
    return found & ~np.isin(pairs, np.concatenate(earlier)) if manifest.seen == "hide" else found


def pair_numbers(rows: Interactions) -> Longs:
    """Return one number for each row's pair of user and item, (N,)."""
    return rows.users.astype(np.int64) * rows.n_items + rows.items


def items_left(split: Split, candidates: CandidateRule) -> Longs:
    """Return the most items that can be listed for each user when test is opened, (U,): an upper bound."""
    train, valid = split.train, split.valid
    seen = [train, valid] if split.manifest.seen == "hide" else []
    in_train, in_valid, in_test = (occurring(part.items, train.n_items) for part in split.parts.values())
    if split.manifest.rule.by == "cold_item" or candidates == "cold-items":
        return np.full(train.n_users, int((~(in_train | in_valid)).sum()))
    if candidates == "test-items":
        return np.full(train.n_users, int(in_test.sum()))
    total = int(in_train.sum()) if candidates == "train" else train.n_items
    hidden = seen[:1] if candidates == "train" else seen
    users = np.concatenate([part.users for part in hidden]) if hidden else train.users[:0]
    if hidden and split.manifest.pairs == "repeat":
        users = np.unique(np.concatenate([pair_numbers(part) for part in hidden])) // train.n_items
    return total - np.bincount(users, minlength=train.n_users)


def not_judged(
    manifest: SplitManifest, tested: NDArray[np.bool_], judged: NDArray[np.bool_]
) -> Iterator[NotJudged]:
    """Yield why users are not judged, and how many for each reason."""
    rule, few = manifest.rule, manifest.notes.users_wholly_in_train or 0
    if few:
        yield NotJudged(users=few, why=f"have fewer than the {rows_needed(rule)} rows that this rule needs")
    if absent := int((~tested).sum()) - few:
        if rule.by in PERIODS:
            why = "have no row in the time of test"
        elif rule.by == "cold_user":
            why = "are not held out"
        else:
            why = "have no row in test"
        yield NotJudged(users=absent, why=why)
    if nothing := int((tested & ~judged).sum()):
        yield NotJudged(users=nothing, why="have test rows, none of them with anything to find (no like)")


def judged_findings(judged: JudgedUsers, manifest: SplitManifest) -> Iterator[Finding]:
    """Yield that few users are judged, or users whom no model knows."""
    rule = manifest.rule
    if judged.users < FEW_USERS:
        yield Finding(
            found=f"only {judged.text}",
            cure=f"with fewer than {FEW_USERS} intervals are wide: bring a longer log, or lower what "
            "positive or the split asks for",
        )
    if judged.cold > MANY_COLD * judged.users and rule.by != "cold_user":
        yield Finding(
            found=f"{judged.cold:,} of the {judged.users:,} judged users have no training row",
            cure="models cannot tell them apart and show all of them the same: split by the rows of each "
            "user, such as leave_last_out, or bring more of their history",
        )
