"""Rules that go by time. Each says what it does with equal times and how many there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.datasets.moments import moment, span
from benchmark.datasets.prepare.pipeline import Prepared
from benchmark.datasets.sorting import by_user
from benchmark.datasets.specs import SplitSpec
from benchmark.datasets.split.labels import (
    LEFT_OUT,
    TEST,
    VALID,
    Labels,
    Notes,
    Whole,
    cut_users,
    need_times,
    share_of,
)
from benchmark.errors import SplitError

LATER_LINE = "of a user's rows with the same time the later in the log counts as later"
TOGETHER = "rows with the same time stay in one part"


def leave_last_out(prepared: Prepared, spec: SplitSpec, _: int) -> tuple[Labels, Notes]:
    """Return each user's last n rows as test and the n before them as validation; n is 1 by default.

    Rows with the same time keep the order of the log, so the later line counts as later. Users with
    fewer than 2 n + 1 rows stay wholly in train.
    """
    need_times(prepared, spec.by)
    starts, places = _by_time(prepared)
    each = np.full(len(starts) - 1, spec.n or 1)
    return _last_rows(prepared, starts, places, each, each)


def user_time(prepared: Prepared, spec: SplitSpec, _: int) -> tuple[Labels, Notes]:
    """Return the last max(1, floor(n x test)) of each user's n rows as test, those before as validation.

    Rows with the same time keep the order of the log. A user whom this would leave without a training row
    stays wholly in train.
    """
    need_times(prepared, spec.by)
    starts, places = _by_time(prepared)
    counts = np.diff(starts)
    return _last_rows(prepared, starts, places, share_of(counts, spec.test), share_of(counts, spec.valid))


def _by_time(prepared: Prepared) -> tuple[Whole, Whole]:
    log = prepared.interactions
    return by_user(log.users, log.n_users, log.times)


def _last_rows(
    prepared: Prepared, starts: Whole, places: Whole, test: Whole, valid: Whole
) -> tuple[Labels, Notes]:
    times = prepared.interactions.times
    # cut_users takes the first places: let each user's latest row come first.
    backwards = np.repeat(starts[:-1] + starts[1:] - 1, np.diff(starts)) - np.arange(len(places))
    latest_first = places[backwards]
    labels, cut = cut_users(starts, latest_first, test, valid)
    in_order, first = times[latest_first], starts[:-1][cut]
    at_test, at_valid = first + test[cut], first + (test + valid)[cut]
    tied = {
        name: in_order[at] == in_order[at - 1]
        for name, at in (("tied_users_share", at_test), ("tied_users_share_valid", at_valid))
    }
    return labels, {
        "users_wholly_in_train": int((~cut).sum()),
        **{name: float(users.mean()) if cut.any() else 0.0 for name, users in tied.items()},
        "tied_rows_share": _tied_share(in_order, np.isin(np.arange(1, len(in_order)), starts)),
        "tie_rule": LATER_LINE,
    }


def _tied_share(in_order: Whole, parted: NDArray[np.bool_] | None = None) -> float:
    """Return the share of rows whose time another row has, of the same user where users are parted."""
    same = in_order[1:] == in_order[:-1]
    if parted is not None:
        same &= ~parted
    return float((np.append(same, False) | np.append(False, same)).mean())


def global_time(prepared: Prepared, spec: SplitSpec, _: int) -> tuple[Labels, Notes]:
    """Return the latest rows of the whole log as test, those before them as validation.

    By shares, a part starts at the time of the row at its share; by windows, at the time given. Rows with
    the same time stay together, so a part can be larger than its share, never smaller.
    """
    need_times(prepared, spec.by)
    times = prepared.interactions.times
    ordered = np.sort(times)
    start_valid, start_test = (
        _windows(prepared, spec, int(ordered[-1]) + 1) if spec.test_from else _starts(ordered, spec)
    )
    labels = np.zeros(len(times), dtype=np.int8)
    labels[times >= start_valid] = VALID
    labels[times >= start_test] = TEST
    return labels, {
        "valid_from": start_valid,
        "test_from": start_test,
        "test_until": int(ordered[-1]),
        "tied_rows_share": _tied_share(ordered),
        "tie_rule": TOGETHER,
    }


def _starts(ordered: Whole, spec: SplitSpec) -> tuple[int, int]:
    """Return where validation and test begin, by their shares of the rows."""
    n = len(ordered)
    take = int(share_of(np.array(n), spec.valid))
    start_test = ordered[n - int(share_of(np.array(n), spec.test))]
    before = int(np.searchsorted(ordered, start_test))
    start_valid = ordered[max(0, before - take)] if before else start_test
    return int(start_valid), int(start_test)


def _windows(prepared: Prepared, spec: SplitSpec, end: int) -> tuple[int, int]:
    """Return where validation and test begin, as the suite says; ``end`` is just after the last row."""
    assert spec.test_from, "the caller has looked"
    length = span(spec.test_from)
    start_test = moment(spec.test_from) if length is None else end - length
    before = spec.valid_from or f"{end - start_test}s"
    length = span(before)
    start_valid = moment(before) if length is None else start_test - length
    if not start_valid < start_test < end:
        raise SplitError(
            f"{prepared.name}: validation from {start_valid}, test from {start_test}, end of the log {end} "
            "(seconds since 1970); each must come before the next: change split.valid_from or split.test_from"
        )
    return start_valid, start_test


def rolling_time(prepared: Prepared, spec: SplitSpec, fold: int) -> tuple[Labels, Notes]:
    """Return one of W test windows, the window before it as validation, and all before that as train.

    The W + 1 last windows of the log hold a share ``test`` of the rows each, or last ``window`` each. The
    first fold has the earliest test window. Rows after the test window are left out and counted; rows with
    the same time stay together.
    """
    need_times(prepared, spec.by)
    times = prepared.interactions.times
    ordered = np.sort(times)
    edges = _edges(prepared, spec, ordered)
    start_valid, start_test, end = edges[fold : fold + 3]
    labels = np.zeros(len(times), dtype=np.int8)
    labels[times >= start_valid] = VALID
    labels[times >= start_test] = TEST
    labels[times >= end] = LEFT_OUT
    return labels, {
        "valid_from": start_valid,
        "test_from": start_test,
        "test_until": end - 1,
        "rows_after_the_test_window": int((labels == LEFT_OUT).sum()),
        "tied_rows_share": _tied_share(ordered),
        "tie_rule": TOGETHER,
    }


def _edges(prepared: Prepared, spec: SplitSpec, ordered: Whole) -> list[int]:
    """Return where the W + 1 windows begin and where the last one ends, W + 2 times."""
    assert spec.windows, "SplitSpec fills it in"
    end, back = int(ordered[-1]) + 1, np.arange(spec.windows + 1, 0, -1)
    if spec.window:
        return [*(end - back * (span(spec.window) or 1)).tolist(), end]
    at = len(ordered) - back * int(share_of(np.array(len(ordered)), spec.test))
    if at[0] <= 0:
        raise SplitError(
            f"{prepared.name}: {spec.windows} test windows and one for validation of {spec.test:.0%} of the "
            "rows each leave nothing to train on; lower split.windows or split.test"
        )
    return [*ordered[at].tolist(), end]
