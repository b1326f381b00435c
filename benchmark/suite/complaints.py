"""What is wrong with a suite, in the words of its keys: what the schema refuses, and what adapters refuse."""

from __future__ import annotations

import contextlib
import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from benchmark.datasets.specs import variable_fault
from benchmark.errors import did_you_mean
from benchmark.registry import Registry
from benchmark.suite.lists_row import ListsRow
from benchmark.suite.path_keys import path_keys
from benchmark.suite.schema import Model, Suite
from benchmark.suite.set_and_tune import Complaint, hyperparameter_complaints
from benchmark.suite.yaml_text import KeyPath

MOST_COMPLAINTS = 20
"""Complaints that are shown: whoever mistook a list for a suite need not read all of it."""

UNION_TAGS = frozenset({"bool", "int", "float", "str", "rule", "list", "a-model", "lists-row"})
"""What pydantic adds to a key path to say which member of a union it tried."""
UNION_TAG_STARTS = ("literal[", "tuple[", "dict[", "function-", "constrained-")


@dataclass(frozen=True)
class Fault:
    """One of pydantic's error details, under its own names."""

    type: str
    loc: tuple[str | int, ...]
    msg: str
    input: Any
    ctx: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""

    @property
    def key_path(self) -> KeyPath:
        """Where the fault is, without the tags of unions."""
        return tuple(
            key
            for key in self.loc
            if key not in UNION_TAGS and not (isinstance(key, str) and key.startswith(UNION_TAG_STARTS))
        )

    def complaint(self) -> Complaint:
        """Return what must hold, and what was found where that is short."""
        if self.type == "extra_forbidden":
            *parents, key = self.key_path
            return Complaint(self.key_path, f"unknown key{did_you_mean(str(key), _keys_at(parents))}")
        if self.type == "missing":
            return Complaint(self.key_path, "is missing")
        text = self.requirement
        is_long = isinstance(self.input, dict | list | BaseModel | tuple)
        found = "" if is_long or repr(self.input) in text else f" (found {self.input!r})"
        return Complaint(self.key_path, text + found)

    @property
    def requirement(self) -> str:
        """What must hold."""
        match self.type, self.ctx:
            case "value_error", {"error": error}:
                return str(error)
            case "literal_error", {"expected": str(expected)}:
                options = [option.strip("' ") for option in expected.replace(" or ", ", ").split(",")]
                hint = did_you_mean(self.input, options) if isinstance(self.input, str) else ""
                return f"must be {expected}{hint}"
            case (("model_type" | "model_attributes_type" | "dict_type"), _):
                keys = ", ".join(_keys_at(self.key_path))
                return "must be a mapping" + (f" with the keys {keys}" if keys else "")
            case (("tuple_type" | "list_type"), _):
                return "must be a list"
            case "too_short", {"min_length": least}:
                return f"must have at least {least}"
        return re.sub(r"^Input should (be )?", lambda found: "must be " if found[1] else "must ", self.msg)


def schema_complaints(
    error: ValidationError,
    place: Callable[[KeyPath], tuple[int, int]] = lambda _: (0, 0),
    most: int = MOST_COMPLAINTS,
) -> Iterator[Complaint]:
    """Return what the schema refuses, without the faults that only follow from others.

    Args:
        error: pydantic's.
        place: sorts keys by where they were said; of no matter for a section by itself.
        most: how many to return, the first in the file.
    """
    faults = [Fault(**details) for details in error.errors(include_url=False)]
    own = [fault for fault in faults if fault.type != "too_short" or not follows(fault, faults)]
    for fault in heapq.nsmallest(most, own, key=lambda fault: place(fault.key_path)):
        yield fault.complaint()


def follows(short: Fault, faults: Iterable[Fault]) -> bool:
    """Return whether a list is only too short because its entries are faulty."""
    depth = len(short.loc)
    return any(other.loc != short.loc and other.loc[:depth] == short.loc for other in faults)


def _keys_at(key_path: Iterable[str | int]) -> list[str]:
    """Return the keys that the schema has below a key."""
    sections: list[type[BaseModel]] = [Suite]
    for key in key_path:
        if isinstance(key, str):
            known = [section.model_fields[key] for section in sections if key in section.model_fields]
            sections = [section for field_info in known for section in _sections_in(field_info.annotation)]
    return list(dict.fromkeys(name for section in sections for name in section.model_fields))


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections that an annotation holds: itself, or inside a union or a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for argument in getattr(annotation, "__args__", ()) for section in _sections_in(argument)]


def log_complaints(suite: Suite) -> Iterator[Complaint]:
    """Return what does not fit together for one log: its entry and ``prepare``, its rows and the split."""
    for index, spec in enumerate(suite.datasets):
        own = spec.model_fields_set & {"positive", "negative", "pairs", "seen"}
        key_path: KeyPath = ("datasets", index, *sorted(own)[:1])
        try:
            prepare = suite.prepare.for_log(spec)
        except ValidationError as error:
            text = "; ".join(fault.text for fault in schema_complaints(error))
            yield Complaint(key_path, f"with prepare: {text}")
            continue
        refusal = suite.split.against_repeats
        if prepare.pairs == "repeat" and refusal:
            yield Complaint(("split", "by"), f"{spec.name}: {refusal}")


def lists_complaints(suite: Suite) -> Iterator[Complaint]:
    """Return which rows of lists do not say for which data set, or name one that the suite does not have."""
    labels = [label for spec in suite.datasets for label in suite.split.labels(spec.name)]
    for index, row in enumerate(suite.models):
        if not isinstance(row, ListsRow):
            continue
        if row.dataset is None and len(labels) > 1:
            shown = ", ".join(labels[:MOST_COMPLAINTS])
            yield Complaint(("models", index), f"lists are for one split: say which with dataset, of {shown}")
        elif row.dataset is not None and row.dataset not in labels:
            hint = did_you_mean(row.dataset, labels)
            yield Complaint(("models", index, "dataset"), f"there is no split {row.dataset!r}{hint}")


def path_complaints(suite: Suite) -> Iterator[Complaint]:
    """Return which paths have a variable that is not set, or that is none."""
    for key_path, text in path_keys(suite):
        if (fault := variable_fault(text)) is not None:
            yield Complaint(key_path, fault)


def readable_models(models: Any) -> Iterator[tuple[int, Model]]:
    """Return the models that can be checked although the suite as a whole is not valid."""
    for index, entry in enumerate(models if isinstance(models, list | tuple) else ()):
        with contextlib.suppress(ValidationError):
            yield index, Model.model_validate({"use": entry} if isinstance(entry, str) else entry)


def model_complaints(
    models: Iterable[tuple[int, Model | ListsRow]], registry: Registry
) -> Iterator[Complaint]:
    """Return what the adapters refuse: names and hyperparameters that do not exist or do not fit."""
    for index, model in models:
        if isinstance(model, ListsRow):
            continue
        key_path: KeyPath = ("models", index)
        if model.use in registry:
            adapter = registry[model.use]
            if adapter.fault:
                yield Complaint(key_path, f"{model.use} is broken: {adapter.fault}")
            else:
                yield from hyperparameter_complaints(model, adapter, key_path)
        else:
            yield Complaint(key_path, f"no adapter is called {model.use!r}{registry.hint(model.use)}")
