"""One model in full: what it is, what it tunes, what it needs, and what committed boards say of it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from benchmark.cli.views.listings import show_table
from benchmark.protocol import Traits
from benchmark.registry import Adapter, install_hint
from benchmark.results.reference import ReferenceBoard


def show_detail(adapter: Adapter, boards: Sequence[ReferenceBoard], console: Console) -> None:
    """Print docstring, hyperparameters, traits and evidence of an adapter; its library is not imported."""
    console.print(Text(adapter.name, style="bold"))
    console.print()
    console.print(Text(docstring(adapter.cls)), soft_wrap=True)
    console.print()
    domains = {name: str(domain) for name, domain in adapter.traits.space.items()}
    published = adapter.traits.published
    fields = [
        (name, str(value), str(published.get(name, value)) if published else "", domains.get(name, "fixed"))
        for name, value in adapter.defaults.items()
    ]
    if fields:
        show_table(console, ("hyperparameter", "default", "published best", "tuned within"), fields)
        console.print()
    show_table(console, ("trait", "value"), list(_said(adapter).items()))
    console.print()
    rows = [_evidence(board, row) for board in boards for row in board.of(adapter.name)]
    if rows:
        titles = ("board", "data set", "rank", "metric", "value", "95 % interval", "tuning", "best at edge")
        show_table(console, titles, rows)
    else:
        console.print(Text("No committed board holds this model yet."))


def docstring(cls: type) -> str:
    """Return the first line of an adapter's module, if it says anything, and the docstring of its class.

    A dataclass without a docstring of its own has one made by Python, its signature: that is left out.
    """
    module = inspect.getmodule(cls)
    headline = (inspect.getdoc(module) or "").partition("\n")[0] if module else ""
    own = cls.__doc__ if cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}(") else None
    return "\n\n".join(part for part in (headline, inspect.cleandoc(own) if own else "") if part)


def _said(adapter: Adapter) -> dict[str, str]:
    """Return what the class says of itself, in words."""
    own = adapter.traits
    libraries = ", ".join(own.requires) or "nothing beyond bench"
    lacking = f"; not installed: {install_hint([adapter])}" if adapter.missing else ""
    return {
        "learns from": "likes" if own.feedback == "implicit" else "ratings",
        "predicts": "ranking and ratings" if own.rates else "ranking",
        "runs on": ", ".join(own.devices),
        "needs": libraries + lacking + _features(own),
        "chance": "none: every seed gives the same" if own.deterministic else "the seed: finals repeat it",
        "bundle": "yes" if own.keeps_state else "no: it cannot be exported",
        "users it was not trained with": _strangers(own),
        "rows without an event": _cold(own),
    }


def _features(own: Traits) -> str:
    return f"; features of {' or '.join(own.needs_features)}" if own.needs_features else ""


def _cold(own: Traits) -> str:
    if own.scores_all:
        return "scores them as all others"
    return f"scores {' and '.join(own.from_features)} from features" if own.from_features else "filled in"


def _strangers(own: Traits) -> str:
    return "served from their history" if own.folds_in else "get popularity"


def _evidence(board: ReferenceBoard, row: Mapping[str, str]) -> tuple[str, ...]:
    primary = board.primary
    low, high = (row.get(f"{primary}_{end}", "") for end in ("low", "high"))
    interval = f"{float(low):.4f} to {float(high):.4f}" if low and high else ""
    value = f"{float(row[primary]):.4f}" if row.get(primary) else "n/a"
    ranked = sum(other["dataset"] == row["dataset"] and bool(other["rank"]) for other in board.rows)
    rank = f"{row['rank']} of {ranked}" if row["rank"] else "not ranked"
    tuning = f"{row['trials']} trials, {float(row['charged_s']):.0f} s" if row["charged_s"] else ""
    name = row["dataset"] if row["model"] == row["use"] else f"{row['dataset']} ({row['model']})"
    return board.name, name, rank, primary, value, interval, tuning, row.get("at_edge") or ""
