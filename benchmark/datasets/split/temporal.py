"""Rules that go by time. Each says what it does with equal times and how many there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.manifest import SplitNotes
from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.sorting import by_user
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.split.labels import (
    LEFT_OUT,
    TEST,
    TRAIN,
    VALID,
    Labels,
    cut_users,
    need_times,
    share_of,
)
from benchmark.errors import DataError, SplitError
from benchmark.protocol import Interactions, Longs

LATER_LINE_IS_LATER = "of a user's rows with the same time the later in the log counts as later"
TIES_STAY_TOGETHER = "rows with the same time stay in one part"


def leave_last_out(prepared: Prepared, spec: SplitSpec, _: int) -> tuple[Labels, SplitNotes]:
    """Return each user's last n rows as test and the n before them as validation; n is 1 by default.

    Rows with the same time keep the order of the log, so the later line counts as later. Users with
    fewer than 2 n + 1 rows stay wholly in train.
    """
    need_times(prepared, spec.by)
    log = prepared.interactions
    each = np.full(log.n_users, spec.n or 1)
    return last_rows(log, each, each)


def user_time(prepared: Prepared, spec: SplitSpec, _: int) -> tuple[Labels, SplitNotes]:
    """Return the last max(1, floor(n x test)) of each user's n rows as test, those before as validation.

    Rows with the same time keep the order of the log. A user whom this would leave without a training row
    stays wholly in train.
    """
    need_times(prepared, spec.by)
    log = prepared.interactions
    counts = np.bincount(log.users, minlength=log.n_users)
    return last_rows(log, share_of(counts, spec.test), share_of(counts, spec.valid))


def last_rows(log: Interactions, test: Longs, valid: Longs) -> tuple[Labels, SplitNotes]:
    """Return each user's last ``test`` (U,) rows as test and the ``valid`` (U,) before them as validation."""
    starts, rows = latest_first(log)
    labels, cut = cut_users(starts, rows, test, valid)
    times, first = log.times[rows], starts[:-1][cut]
    at_test, at_valid = first + test[cut], first + (test + valid)[cut]
    tied_test, tied_valid = (
        float((times[at] == times[at - 1]).mean()) if cut.any() else 0.0 for at in (at_test, at_valid)
    )
    return labels, SplitNotes(
        users_wholly_in_train=int((~cut).sum()),
        tied_users_share=tied_test,
        tied_users_share_valid=tied_valid,
        tied_rows_share=tied_share(times, np.isin(np.arange(1, len(times)), starts)),
        tie_rule=LATER_LINE_IS_LATER,
    )


def latest_first(log: Interactions) -> tuple[Longs, Longs]:
    """Return each user's starts (U + 1,) and rows (N,), the latest first: of equal times the later line."""
    starts, rows = by_user(log.users, log.n_users, *([log.times] if len(log.times) else []))
    return starts, rows[np.repeat(starts[:-1] + starts[1:] - 1, np.diff(starts)) - np.arange(len(rows))]


def last_of_train(prepared: Prepared, labels: Labels) -> tuple[Labels, SplitNotes]:
    """Return given labels (N,) with each user's last training row as validation.

    The last is the latest, and the later line of two with one time, or of a log without times. A user whom
    this would leave without a training row has no validation row.
    """
    rest = np.flatnonzero(labels == TRAIN)
    starts, rows = latest_first(prepared.interactions.rows(rest))
    each = np.ones(len(starts) - 1, dtype=np.int64)
    drawn, cut = cut_users(starts, rows, 0 * each, each)
    labels = labels.copy()
    labels[rest[drawn == VALID]] = VALID
    return labels, SplitNotes(users_wholly_in_train=int((~cut).sum()), tie_rule=LATER_LINE_IS_LATER)


def tied_share(times: Longs, apart: NDArray[np.bool_] | None = None) -> float:
    """Return the share of rows (N,), in order of time, whose time another row has.

    Neighbours that are ``apart`` (N - 1,), because they belong to different users, are not compared.
    """
    same = times[1:] == times[:-1]
    if apart is not None:
        same &= ~apart
    return float((np.append(same, False) | np.append(False, same)).mean())


def global_time(prepared: Prepared, spec: SplitSpec, _: int) -> tuple[Labels, SplitNotes]:
    """Return the latest rows of the whole log as test, those before them as validation.

    By shares, a part starts at the time of the row at its share; by windows, at the time given. Rows with
    the same time stay together, so a part can be larger than its share, never smaller.
    """
    need_times(prepared, spec.by)
    times = prepared.interactions.times
    ordered = np.sort(times)
    if spec.test_from:
        start_valid, start_test = starts_as_given(prepared, spec, int(ordered[-1]) + 1)
    else:
        start_valid, start_test = starts_by_share(ordered, spec)
    labels = np.zeros(len(times), dtype=np.int8)
    labels[times >= start_valid] = VALID
    labels[times >= start_test] = TEST
    return labels, SplitNotes(
        valid_from=start_valid,
        test_from=start_test,
        test_until=int(ordered[-1]),
        tied_rows_share=tied_share(ordered),
        tie_rule=TIES_STAY_TOGETHER,
    )


def starts_by_share(ordered: Longs, spec: SplitSpec) -> tuple[int, int]:
    """Return when validation and test begin, by their shares of the rows."""
    n = len(ordered)
    take = int(share_of(np.array(n), spec.valid))
    start_test = ordered[n - int(share_of(np.array(n), spec.test))]
    before = int(np.searchsorted(ordered, start_test))
    start_valid = ordered[max(0, before - take)] if before else start_test
    return int(start_valid), int(start_test)


def starts_as_given(prepared: Prepared, spec: SplitSpec, end: int) -> tuple[int, int]:
    """Return when validation and test begin, as the suite says; ``end`` is the first time after the log.

    Raises:
        SplitError: they do not follow one another, or the times of the log only say what came first.
    """
    assert spec.test_from, "the caller has looked"
    clock = prepared.clock
    try:
        length = clock.span(spec.test_from)
        start_test = clock.moment(spec.test_from) if length is None else end - length
        start_valid = start_test - (end - start_test)
        if spec.valid_from:
            length = clock.span(spec.valid_from)
            start_valid = clock.moment(spec.valid_from) if length is None else start_test - length
    except DataError as error:
        raise SplitError(f"{prepared.name}: split: {error}, or split by shares") from error
    if not start_valid < start_test < end:
        valid, test, last = (clock.written_out(time) for time in (start_valid, start_test, end))
        raise SplitError(
            f"{prepared.name}: validation from {valid}, test from {test}, end of the log {last}; each must "
            "come before the next: change split.valid_from or split.test_from"
        )
    return start_valid, start_test


def rolling_time(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, SplitNotes]:
    """Return one of W test windows, the window before it as validation, and all before that as train.

    The W + 1 last windows of the log hold a share ``test`` of the rows each, or last ``window`` each. The
    first fold has the earliest test window. Rows after the test window are left out and counted; rows with
    the same time stay together.
    """
    need_times(prepared, spec.by)
    times = prepared.interactions.times
    ordered = np.sort(times)
    start_valid, start_test, end = window_edges(prepared, spec, ordered)[fold : fold + 3]
    labels = np.zeros(len(times), dtype=np.int8)
    labels[times >= start_valid] = VALID
    labels[times >= start_test] = TEST
    labels[times >= end] = LEFT_OUT
    return labels, SplitNotes(
        valid_from=start_valid,
        test_from=start_test,
        test_until=end - 1,
        rows_after_the_test_window=int((labels == LEFT_OUT).sum()),
        tied_rows_share=tied_share(ordered),
        tie_rule=TIES_STAY_TOGETHER,
    )


def window_edges(prepared: Prepared, spec: SplitSpec, ordered: Longs) -> list[int]:
    """Return when each of the W + 1 windows begins and when the last one ends, W + 2 times.

    Raises:
        SplitError: they leave nothing to train on, or the times of the log only say what came first.
    """
    assert spec.windows, "SplitSpec fills it in"
    end, back = int(ordered[-1]) + 1, np.arange(spec.windows + 1, 0, -1)
    if spec.window:
        try:
            return [*(end - back * (prepared.clock.span(spec.window) or 1)).tolist(), end]
        except DataError as error:
            raise SplitError(f"{prepared.name}: split.window: {error}, or split by shares") from error
    at = len(ordered) - back * int(share_of(np.array(len(ordered)), spec.test))
    if at[0] <= 0:
        raise SplitError(
            f"{prepared.name}: {spec.windows} test windows and one for validation of {spec.test:.0%} of the "
            "rows each leave nothing to train on; lower split.windows or split.test"
        )
    return [*ordered[at].tolist(), end]
