"""What an adapter class says about itself: its class attributes, with the defaults filled in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from benchmark.errors import AdapterError
from benchmark.hyperparameters import LIMITS, Limits
from benchmark.protocol import Choice, Feedback, Hyperparameter, Range, Space, Use


@dataclass(frozen=True)
class Traits:
    """What an adapter class says about itself, with the defaults filled in.

    Attributes:
        space: tuned hyperparameters; empty means one trial.
        feedback: "implicit" trains on likes, "explicit" on every rating.
        deterministic: the seed changes nothing, so one final is enough.
        devices: where it can run; "cpu" always, "cuda" if listed.
        requires: import names of the libraries it wraps, in the order to import them.
        rates: predicts ratings, so RMSE and MAE apply.
        keeps_state: can be exported.
        has_vectors: its scores are dot products, so it can be exported without a state of its own.
        folds_in: can serve a user it was not trained with, from that user's history.
        explains: can say which items of a user's history carried a score.
        finds_similar: has a measure of its own for items alike, or vectors whose cosine is one.
        keeps_histories: still has the histories that it was trained with, so newer items can be added to
            them.
        folds_repeats: such a history may hold an item several times.
        needs_repeats: recommends what a user has had, so it needs a log whose items come again.
        from_features: which of "users" and "items" it scores by features alone; for users and items
            without a training row that it cannot score, the engine puts popularity in its place.
        needs_features: features of "users", of "items", at least one of those listed; empty if it needs none.
        needs_graph: it needs a knowledge graph of the items; it is handed one, as if ``uses`` named it.
        from_graph: it scores items by the graph alone; those without a training row that have no triple
            either are filled in.
        scores_all: scores users and items of which nothing is known, as chance does: nothing is filled in.
        uses: which of "weights", "negatives" and "graph" it takes into account; it is handed no others.
        published: hyperparameters of the best configuration that its paper reports, where they differ
            from the defaults: trial 1 of a study. Empty if there is none, or the default is it.
        limits: what its hyperparameters can be at all: those of the words that adapters share, and its own.
        streams: it yields within a pass where ``context.step_rows`` asks for it, and the steps of a pass
            compute, bit for bit, what the pass computes in one.
        environment: name of the environment that it runs in; empty for our own Python.
    """

    space: Space
    feedback: Feedback
    deterministic: bool
    devices: tuple[str, ...]
    requires: tuple[str, ...]
    rates: bool
    keeps_state: bool
    folds_in: bool = False
    from_features: tuple[str, ...] = ()
    needs_features: tuple[str, ...] = ()
    scores_all: bool = False
    folds_repeats: bool = False
    needs_repeats: bool = False
    uses: tuple[Use, ...] = ()
    published: Mapping[str, Hyperparameter] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    streams: bool = False
    environment: str = ""
    has_vectors: bool = False
    needs_graph: bool = False
    from_graph: bool = False
    explains: bool = False
    finds_similar: bool = False
    keeps_histories: bool = False


def hyperparameters(adapter: type) -> dict[str, Any]:
    """Return the default of every field of the dataclass that has one."""
    own = dataclasses.fields(adapter) if dataclasses.is_dataclass(adapter) else ()
    return {one.name: one.default for one in own if one.default is not dataclasses.MISSING}


def refuse_other_types(adapter: type, where: str) -> None:
    """Check that a class says what it is in the types that the protocol names.

    Raises:
        AdapterError: it does not.
    """
    space: object = getattr(adapter, "space", None)
    if not isinstance(space, Mapping) or not all(isinstance(one, Range | Choice) for one in space.values()):
        raise AdapterError(f"{where}: space is {space!r}; it must map hyperparameters to Range or Choice")
    for name in ("devices", "requires", "from_features", "needs_features"):
        listed: object = getattr(adapter, name, ())
        if not isinstance(listed, tuple | list) or not all(isinstance(one, str) for one in listed):
            raise AdapterError(f"{where}: {name} is {listed!r}; it must be a tuple of words")


def traits(adapter: type) -> Traits:
    """Read the traits of an adapter class.

    Raises:
        AdapterError: ``space`` is missing, something is of another type than it must be, ``space`` or
            ``limits`` names a field that the class does not have, a field is no hyperparameter, ``published``
            names one that is not tuned, ``feedback`` or ``uses`` something that there is not.
    """
    space = getattr(adapter, "space", None)
    fields = getattr(adapter, "__dataclass_fields__", {})
    where = f"{adapter.__module__}:{adapter.__qualname__}"
    if space is None or not hasattr(adapter, "fit_steps") or not hasattr(adapter, "score"):
        raise AdapterError(f"{where}: an adapter must have space, fit_steps and score")
    refuse_other_types(adapter, where)
    own_limits = getattr(adapter, "limits", {})
    for what, named in (("space", space), ("limits", own_limits)):
        if unknown := sorted(set(named) - set(fields)):
            is_dataclass = "__dataclass_params__" in vars(adapter)
            hint = "" if is_dataclass else "; is the class decorated with @dataclass?"
            raise AdapterError(f"{where}: {what} names {unknown}, which are no fields of the dataclass{hint}")
    for name, default in hyperparameters(adapter).items():
        if name.startswith("_") or not isinstance(default, bool | int | float | str):
            raise AdapterError(
                f"{where}: {name} is a field with the default {default!r}; fields are hyperparameters: the "
                "name must not start with _, and the default must be a bool, int, float or str (what a fit "
                "learns is set in fit_steps, and not declared in the class)"
            )
    # A shared word whose default lies outside its limits means something else in this adapter.
    shared = {
        word: limit for word, limit in LIMITS.items() if word in fields and fields[word].default in limit
    }
    published = getattr(adapter, "published", {})
    if untuned := sorted(set(published) - set(space)):
        raise AdapterError(f"{where}: published names {untuned}, which space does not tune")
    feedback = getattr(adapter, "feedback", "implicit")
    if feedback not in get_args(Feedback):
        raise AdapterError(f"{where}: feedback is {feedback!r}; it must be implicit or explicit")
    uses = getattr(adapter, "uses", ())
    if not isinstance(uses, tuple) or not set(uses) <= set(get_args(Use)):
        words = "'graph', 'weights' and 'negatives'"
        raise AdapterError(f"{where}: uses is {uses!r}; it must be a tuple of {words}")
    needs_graph = getattr(adapter, "needs_graph", False)
    return Traits(
        space=space,
        feedback=cast("Feedback", feedback),
        deterministic=getattr(adapter, "deterministic", False),
        devices=tuple(getattr(adapter, "devices", ("cpu",))),
        requires=tuple(getattr(adapter, "requires", ())),
        rates=hasattr(adapter, "rate"),
        keeps_state=hasattr(adapter, "state") and hasattr(adapter, "restore"),
        has_vectors=bool(getattr(adapter, "vectors", None)),
        folds_in=hasattr(adapter, "fold_in"),
        from_features=tuple(getattr(adapter, "from_features", ())),
        needs_features=tuple(getattr(adapter, "needs_features", ())),
        scores_all=getattr(adapter, "scores_all", False),
        folds_repeats=getattr(adapter, "folds_repeats", False),
        needs_repeats=getattr(adapter, "needs_repeats", False),
        uses=(*uses, "graph") if needs_graph and "graph" not in uses else uses,
        published=published,
        limits={**shared, **own_limits},
        streams=getattr(adapter, "streams", False),
        environment=getattr(adapter, "environment", ""),
        needs_graph=needs_graph,
        from_graph=getattr(adapter, "from_graph", False),
        explains=hasattr(adapter, "explain"),
        finds_similar=hasattr(adapter, "similar_items") or bool(getattr(adapter, "vectors", None)),
        keeps_histories=hasattr(adapter, "fold_in") and hasattr(adapter, "history_of"),
    )
