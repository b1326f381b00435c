"""What people read of a board: the columns of each kind of table; the CSV has more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from benchmark.leaderboard.across_datasets import Across
from benchmark.leaderboard.folds import Folds
from benchmark.leaderboard.formatting import NONE, decimal, interval_ms, p_value, percent, signed, span, whole
from benchmark.leaderboard.latency_columns import steadiness
from benchmark.leaderboard.notes import sample_notes
from benchmark.leaderboard.rows import AcrossRow, BoardRow, FoldRow, GroupRow, PairRow
from benchmark.leaderboard.table import Groups, Table
from benchmark.leaderboard.text_tables import Column, Emphasis, TextTable
from benchmark.records import Note
from benchmark.units import write_seconds

PRINTED_METRICS = 3
"""Columns of metrics that fit on a page of LaTeX's article class; the CSV has all."""


def board_table(table: Table, *, more: bool = False) -> TextTable:
    """Return the board of one data set; ``more`` adds the columns for a second look."""
    facts = table.facts
    shape = f"{facts.split.n_users:,} users × {facts.split.n_items:,} items"
    split = f"{facts.split.rule.by} split {facts.split.hash[:8]}"
    return TextTable(
        "board",
        table.dataset,
        f"{table.dataset}: {shape}, {split}, finals on {facts.finals_on}",
        (*board_columns(table), *(more_columns(table.primary) if more else ())),
        table.rows,
        table.notes,
        partial(row_emphasis, table.reference),
    )


def row_emphasis(reference: str | None, row: BoardRow) -> Emphasis:
    """Return how a row of the board is set apart."""
    if not row.has_result:
        return "failed"
    return "reference" if row.model == reference else ""


def board_columns(table: Table) -> Sequence[Column[BoardRow]]:
    """Return the columns of the board."""
    level = f"{1 - table.facts.alpha:.0%} interval"
    primary, reference = table.primary, table.reference
    return (
        Column("#", lambda row: whole(row.rank), key="rank", names=True),
        Column(
            "model",
            lambda row: named(row, reference),
            numeric=False,
            key="model",
            names=True,
        ),
        metric_column(primary),
        Column(level, lambda row: span(row.low, row.high), key=f"{primary}_low"),
        Column("best", lambda row: "•" if row.best_set else "", key="best_set"),
        Column("difference", lambda row: signed(row.diff_to_reference), key="diff_to_reference"),
        Column(level, lambda row: span(row.diff_low, row.diff_high, signed), key="diff_low"),
        Column("p", lambda row: p_value(row.p_vs_reference), key="p_vs_reference"),
        *(metric_column(name) for name in table.metrics[1:]),
        Column("lift", lambda row: decimal(row.popularity_lift, 2), key="popularity_lift"),
        Column("head", lambda row: decimal(row.recall_head), key="recall_head"),
        Column("tail", lambda row: decimal(row.recall_tail), key="recall_tail"),
        Column("seeds", lambda row: whole(row.seeds), key="seeds"),
        Column("trials", lambda row: whole(row.trials) if row.tuned else NONE, key="trials"),
        Column("tuning gain", lambda row: signed(row.test_gain_over_default), key="test_gain_over_default"),
        Column(
            "charged / budget",
            lambda row: f"{row.charged_s:.1f} / {write_seconds(row.budget_s)}" if row.tuned else NONE,
            key="charged_s",
        ),
        Column("core s", lambda row: decimal(row.core_s, 1), key="core_s"),
        Column("device", lambda row: row.device or NONE, numeric=False, key="device"),
        Column("fit s", lambda row: decimal(row.fit_s, 2), key="fit_s"),
        Column("ms/user", lambda row: decimal(row.latency_ms_p50, 3), key="latency_ms_p50"),
        Column("MB", lambda row: decimal(row.size_mb, 2), key="size_mb"),
        Column("status", lambda row: row.status, numeric=False, key="status"),
    )


def named(row: BoardRow, reference: str | None) -> str:
    """Return a model's name, marked if the others are compared with it, or if it was not tuned here."""
    marks = [*(["reference"] if row.model == reference else []), *([] if row.tuned else ["not tuned here"])]
    return f"{row.model} ({', '.join(marks)})" if marks else row.model


def metric_column(name: str) -> Column[BoardRow]:
    """Return the column of a metric."""
    return Column(name, lambda row: decimal(row.metrics.get(name)), key=name)


def more_columns(primary: str) -> Sequence[Column[BoardRow]]:
    """Return the columns for a second look: effect sizes, stability, fairness of the tuning, cost."""
    return (
        Column("relative", lambda row: percent(row.relative_diff), key="relative_diff", more=True),
        Column("users better", lambda row: percent(row.users_better), key="users_better", more=True),
        Column(
            "detectable", lambda row: decimal(row.smallest_detectable), key="smallest_detectable", more=True
        ),
        Column("p, these fits", lambda row: p_value(row.p_these_models), key="p_these_models", more=True),
        Column("first", lambda row: percent(row.first_places), key="first_places", more=True),
        Column(
            "first if equal",
            lambda row: percent(row.first_places_if_equal),
            key="first_places_if_equal",
            more=True,
        ),
        Column("validation", lambda row: decimal(row.valid), key=f"valid_{primary}", more=True),
        Column("train only", lambda row: decimal(row.train_only), key=f"train_only_{primary}", more=True),
        Column(
            "gain on validation",
            lambda row: signed(row.valid_gain_over_default),
            key="valid_gain_over_default",
            more=True,
        ),
        Column("at most worse", lambda row: percent(row.margin_bound), key="margin_bound", more=True),
        Column("at edge", lambda row: row.at_edge or "", numeric=False, key="at_edge", more=True),
        Column(
            "improving",
            lambda row: "yes" if row.still_improving else "",
            numeric=False,
            key="still_improving",
            more=True,
        ),
        Column("unused s", lambda row: decimal(row.unused_s, 1), key="unused_s", more=True),
        *latency_details(),
        Column("users/s", lambda row: decimal(row.users_per_s, 0), key="users_per_s", more=True),
        Column("memory MB", lambda row: decimal(row.memory_mb, 0), key="memory_mb", more=True),
        Column("parameters", lambda row: whole(row.params), key="params", more=True),
        Column("filled users", lambda row: whole(row.filled_users), key="filled_users", more=True),
        Column("filled items", lambda row: whole(row.filled_items), key="filled_items", more=True),
    )


def latency_details() -> Sequence[Column[BoardRow]]:
    """Return the columns on the time to score one user, but its median."""
    return (
        Column(
            "its interval",
            lambda row: interval_ms(row.latency_ms_p50_low, row.latency_ms_p50_high),
            key="latency_ms_p50_low",
            more=True,
        ),
        Column("ms/user p95", lambda row: decimal(row.latency_ms_p95, 3), key="latency_ms_p95", more=True),
        Column(
            "p95 interval",
            lambda row: interval_ms(row.latency_ms_p95_low, row.latency_ms_p95_high),
            key="latency_ms_p95_low",
            more=True,
        ),
        Column("latency", steadiness, numeric=False, key="latency_is_steady", more=True),
    )


def printed_table(table: Table) -> TextTable:
    """Return the board of one data set with the columns that fit on a printed page."""
    against = f"Difference: to {table.reference}. " if table.reference else ""
    level = f"{1 - table.facts.alpha:.0%} intervals, unadjusted."
    legend = f"{against}{level} p: seed-aware, Holm. Bold: in the set of the best. s: device time of tuning."
    synthetic = [Note("Synthetic data.")] if table.facts.split.synthetic else []
    samples = sample_notes(table.facts.split)

    def result(title: str, text: Callable[[BoardRow], str]) -> Column[BoardRow]:
        return Column(title, lambda row: text(row) if row.has_result else "")

    columns: Sequence[Column[BoardRow]] = (
        result("", lambda row: whole(row.rank)),
        Column("model", lambda row: named(row, None), numeric=False, names=True),
        Column(
            table.primary,
            lambda row: decimal(row.value) if row.has_result else row.status,
            is_bold=lambda row: bool(row.best_set),
        ),
        result("interval", lambda row: span(row.low, row.high)),
        *(
            result(name, partial(lambda name, row: decimal(row.metrics[name]), name))
            for name in table.metrics[1:PRINTED_METRICS]
        ),
        result("difference", lambda row: signed(row.diff_to_reference)),
        result("interval", lambda row: span(row.diff_low, row.diff_high, signed)),
        result("p", lambda row: p_value(row.p_vs_reference)),
        result("trials", lambda row: whole(row.trials) if row.tuned else NONE),
        result("s", lambda row: f"{row.charged_s:.1f}" if row.tuned else NONE),
    )
    return replace(board_table(table), columns=tuple(columns), notes=(*synthetic, *samples, Note(legend)))


def fold_table(folds: Folds) -> TextTable:
    """Return the board over the splits of one data set."""
    columns: Sequence[Column[FoldRow]] = (
        Column("model", lambda row: row.model, numeric=False, names=True),
        Column("splits", lambda row: f"{row.folds} of {row.of}"),
        Column("mean", lambda row: decimal(row.mean)),
        Column("sd", lambda row: decimal(row.sd)),
        Column("validation", lambda row: decimal(row.valid_mean)),
        *AGAINST,
        Column("better", lambda row: percent(row.p_better)),
        Column("alike", lambda row: percent(row.p_equivalent)),
        Column("worse", lambda row: percent(row.p_worse)),
    )
    title = f"{folds.dataset}: {folds.primary} over its splits"
    return TextTable("folds", folds.dataset, title, tuple(columns), folds.rows, folds.notes)


AGAINST: Sequence[Column[FoldRow | GroupRow]] = (
    Column("difference", lambda row: signed(row.diff_to_reference)),
    Column("its interval", lambda row: span(row.diff_low, row.diff_high, signed)),
    Column("p", lambda row: p_value(row.p_vs_reference)),
)


def group_table(table: Table, groups: Groups) -> TextTable:
    """Return the board of one data set for groups of its users or kinds of its items."""
    metric = groups.rows[0].metric if groups.rows else "value"
    columns: Sequence[Column[GroupRow]] = (
        Column("model", lambda row: row.model, numeric=False, names=True),
        Column("group", lambda row: f"{row.group}{' !' if row.few_users else ''}", numeric=False, names=True),
        Column("users", lambda row: whole(row.users)),
        Column(metric, lambda row: decimal(row.value)),
        Column(f"{1 - table.facts.alpha:.0%} interval", lambda row: span(row.low, row.high)),
        *AGAINST,
    )
    title = f"{table.dataset} by {groups.by}"
    return TextTable("groups", table.dataset, title, tuple(columns), groups.rows, groups.notes)


def pair_table(table: Table) -> TextTable:
    """Return the comparison of all pairs of models on one data set."""
    columns: Sequence[Column[PairRow]] = (
        Column("pair", lambda row: f"{row.a} − {row.b}", numeric=False, names=True),
        Column("difference", lambda row: signed(row.difference)),
        Column("p", lambda row: p_value(row.p)),
    )
    title = f"{table.dataset}: all pairs, p corrected over all of them"
    return TextTable("pairs", table.dataset, title, tuple(columns), table.pairs)


def across_table(over: Across) -> TextTable:
    """Return the models over all data sets."""
    columns: Sequence[Column[AcrossRow]] = (
        Column("model", lambda row: row.model, numeric=False, names=True),
        Column("mean rank", lambda row: decimal(row.mean_rank, 2)),
        Column("wins", lambda row: whole(row.wins)),
        Column("completed", lambda row: percent(row.completed)),
        Column("imputed", lambda row: row.imputed or NONE, numeric=False, wraps=True),
        Column("p", lambda row: p_value(row.p_vs_reference)),
    )
    return TextTable("across", "", "All data sets", tuple(columns), over.rows, over.notes)
