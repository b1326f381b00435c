"""The models of RecBole 1.2.1 (Zhao 2021, arXiv:2011.01731): a class for each line of the tables.

RecBole's own class is trained by its own trainer, and what is known to be wrong with it is left as it is.
Defaults are RecBole's; ranges are those that it published for MovieLens-1M (recbole.io/hyperparameters),
widened where its default lies outside; trial 1 is its best configuration there.
"""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import TYPE_CHECKING, Any

from adapters.recbole.base import (
    ByItemWeights,
    ByRecBole,
    ByVectors,
    GraphByRecBole,
    GraphByVectors,
    NextItem,
    NextItemOfAnybody,
)
from adapters.recbole.entry import Entry
from adapters.recbole.general import GENERAL
from adapters.recbole.histories import HISTORIES
from adapters.recbole.knowledge import KNOWLEDGE
from adapters.recbole.sequential import OF_A_USER, SEQUENTIAL

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


def model(entry: Entry, base: Any) -> type:
    """Return the adapter class of a model: a dataclass whose fields are those of its table."""
    tuned = f"Tuned: {', '.join(entry.space)}." if entry.space else "Nothing is tuned."
    doc = f"{entry.says}\n\nImplicit feedback. {entry.cost} {tuned}"
    members = {
        "__doc__": doc,
        "__module__": __name__,
        "entry": entry,
        "space": entry.space,
        "published": entry.published,
        "deterministic": entry.deterministic,
        "limits": entry.all_limits,
    }
    defaults = {**entry.defaults, **base.common}.items()
    return make_dataclass(
        entry.name, [(name, type(value), value) for name, value in defaults], bases=(base,), namespace=members
    )


SERVED = {"network": ByRecBole, "vectors": ByVectors, "item weights": ByItemWeights}
SERVED_WITH_GRAPH = {"network": GraphByRecBole, "vectors": GraphByVectors}

MODELS: dict[str, type] = {
    **{entry.name: model(entry, SERVED[entry.serving]) for entry in (*GENERAL, *HISTORIES)},
    **{entry.name: model(entry, NextItemOfAnybody) for entry in SEQUENTIAL},
    **{entry.name: model(entry, NextItem) for entry in OF_A_USER},
    **{entry.name: model(entry, SERVED_WITH_GRAPH[entry.serving]) for entry in KNOWLEDGE},
}
globals().update(MODELS)
