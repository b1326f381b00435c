"""Models: all of them in a table, or one in full with what reference boards say of it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from benchmark.cli.views.plan import space_as_text
from benchmark.cli.views.tables import show_table
from benchmark.hyperparameters import OneOf
from benchmark.registry import Adapter, install_hint
from benchmark.results.reference import ReferenceBoard, ReferenceRow
from benchmark.traits import Traits


def show_models(adapters: Sequence[Adapter], console: Console) -> None:
    """List models; no library is imported for it."""
    rows = []
    for adapter in adapters:
        if adapter.fault:
            rows.append((adapter.name, "", "", "", f"broken: {adapter.fault}", ""))
            continue
        traits = adapter.traits
        there = f" (environment {traits.environment})" if traits.environment else ""
        installed = f"no: {install_hint([adapter]) or adapter.lack}" if adapter.lack else f"yes{there}"
        feedback = "likes" if traits.feedback == "implicit" else "ratings"
        predicts = "ranking, ratings" if traits.rates else "ranking"
        devices, space = ", ".join(traits.devices), space_as_text(traits.space)
        rows.append((adapter.name, feedback, predicts, devices, installed, space))
    show_table(console, ("model", "learns from", "predicts", "devices", "installed", "tunes"), rows, long=1)


def show_model(adapter: Adapter, boards: Sequence[ReferenceBoard], console: Console) -> None:
    """Show docstring, hyperparameters, traits and evidence of a model; its library is not imported."""
    console.print(Text(adapter.name, style="bold"))
    console.print()
    console.print(Text(docstring(adapter.cls)), soft_wrap=True)
    console.print()
    words = {name: f"fixed: {one}" for name, one in adapter.traits.limits.items() if isinstance(one, OneOf)}
    domains = words | {name: str(domain) for name, domain in adapter.traits.space.items()}
    published = adapter.traits.published
    hyperparameters = [
        (name, str(value), str(published.get(name, value)) if published else "", domains.get(name, "fixed"))
        for name, value in adapter.defaults.items()
    ]
    if hyperparameters:
        show_table(console, ("hyperparameter", "default", "published best", "tuned within"), hyperparameters)
        console.print()
    show_table(console, ("trait", "value"), list(traits_in_words(adapter).items()))
    console.print()
    rows = [evidence(board, row) for board in boards for row in board.rows_of(adapter.name)]
    if rows:
        titles = ("board", "data set", "rank", "metric", "value", "95 % interval", "tuning", "best at edge")
        show_table(console, titles, rows)
    else:
        console.print(Text("No reference board has results of this model yet."))


def docstring(cls: type) -> str:
    """Return the first line of an adapter's module, if it says anything, and the docstring of its class.

    A dataclass without a docstring of its own has one made by Python, its signature: that is left out.
    """
    module = inspect.getmodule(cls)
    headline = (inspect.getdoc(module) or "").partition("\n")[0] if module else ""
    own = cls.__doc__ if cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}(") else None
    return "\n\n".join(part for part in (headline, inspect.cleandoc(own) if own else "") if part)


def traits_in_words(adapter: Adapter) -> dict[str, str]:
    """Return what the class says about itself."""
    traits = adapter.traits
    needs = ", ".join(traits.requires) or "nothing beyond bench"
    if adapter.missing:
        needs += f"; not installed: {install_hint([adapter])}"
    elif adapter.lack:
        needs += f"; {adapter.lack}"
    if traits.needs_features:
        needs += f"; features of {' or '.join(traits.needs_features)}"
    if traits.needs_graph:
        needs += "; a knowledge graph of the items"
    if traits.needs_repeats:
        needs += "; a log whose items come again (pairs: repeat, seen: allow)"
    return {
        "learns from": "likes" if traits.feedback == "implicit" else "ratings",
        "predicts": "ranking and ratings" if traits.rates else "ranking",
        "runs on": ", ".join(traits.devices),
        "needs": needs,
        **({"environment": traits.environment} if traits.environment else {}),
        "randomness": "none: every seed gives the same"
        if traits.deterministic
        else "by seed: finals repeat it",
        "uses of a suite's keys": ", ".join(traits.uses) or "neither weights, known dislikes nor a graph",
        "bundle": "yes" if traits.keeps_state or traits.has_vectors else "no: it cannot be exported",
        "users it was not trained on": "served from their history"
        if traits.folds_in
        else "get popular items",
        "users who have had more since": newer_in_words(traits),
        "why an item is in a list (--why)": "says which items of the history carried its score"
        if traits.explains
        else "cannot say",
        "items like one (--similar-to)": "yes" if traits.finds_similar else "no: it does not compare items",
        "users and items without an event": cold_start_in_words(traits),
    }


def newer_in_words(traits: Traits) -> str:
    """Return what becomes of items that a known user has had since training."""
    if traits.keeps_histories:
        return "newer items are added to those of training"
    return "the newer history counts alone" if traits.folds_in else "newer items are left out of the list"


def cold_start_in_words(traits: Traits) -> str:
    """Return what becomes of users and items without a training row."""
    if traits.scores_all:
        return "scored like all others"
    if traits.from_graph:
        return "items are scored by the knowledge graph, users get popular items"
    if traits.from_features:
        return f"{' and '.join(traits.from_features)} are scored by their features"
    return "users get popular items, items rank last"


def evidence(board: ReferenceBoard, row: ReferenceRow) -> tuple[str, ...]:
    """Return one row of a reference board as it is shown."""
    value = "n/a" if row.value is None else f"{row.value:.4f}"
    rank = "not ranked" if row.rank is None else f"{row.rank} of {board.ranked(row.dataset)}"
    tuning = "" if row.charged_s is None else f"{row.trials} trials, {row.charged_s:.0f} s"
    name = row.dataset if row.model == row.adapter else f"{row.dataset} ({row.model})"
    return board.name, name, rank, board.primary, value, row.interval, tuning, row.at_edge or ""
