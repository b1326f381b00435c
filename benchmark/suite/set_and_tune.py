"""What a suite makes of hyperparameters: values and ranges that cannot be, and values that surprise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmark.errors import did_you_mean
from benchmark.hyperparameters import Allowed
from benchmark.protocol import Choice, Hyperparameter
from benchmark.registry import Adapter, Registry
from benchmark.suite.lists_row import ListsRow
from benchmark.suite.schema import Bounds, Model
from benchmark.suite.yaml_text import KeyPath


@dataclass(frozen=True)
class Complaint:
    """What must hold for the value of a key."""

    key_path: KeyPath
    text: str

    def __str__(self) -> str:
        """Write the key as a user finds it.

        >>> str(Complaint(("models", 1, "tune", "lr"), "is also in set"))
        'models[1].tune.lr: is also in set'
        """
        keys = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.key_path)
        return f"{keys.lstrip('.')}: {self.text}" if keys else self.text


def hyperparameter_complaints(model: Model, adapter: Adapter, key_path: KeyPath) -> Iterator[Complaint]:
    """Return what an adapter refuses of a model's ``set`` and ``tune``."""
    defaults, space = adapter.defaults, adapter.traits.space
    for key, value in model.set.items():
        here = (*key_path, "set", key)
        if key not in defaults:
            yield Complaint(here, f"{model.use} has no {key}{did_you_mean(key, defaults)}")
        elif problem := value_problem(key, value, adapter):
            yield Complaint(here, problem)
    for key, bounds in model.tune.items():
        here = (*key_path, "tune", key)
        if key not in space:
            yield Complaint(here, f"{model.use} does not tune {key}{did_you_mean(key, space)}")
        elif key in model.set:
            yield Complaint(here, "is also in set; it can be fixed or tuned, not both")
        elif problem := bounds.problem(space[key]) or bounds_problem(key, bounds, adapter):
            yield Complaint(here, problem)


def value_problem(key: str, value: Hyperparameter, adapter: Adapter) -> str | None:
    """Return why a hyperparameter cannot have a value; None if it can."""
    default, domain, limit = (
        adapter.defaults[key],
        adapter.traits.space.get(key),
        adapter.traits.limits.get(key),
    )
    if not fits(value, default):
        return f"must be {type(default).__name__}, as its default {default!r} (found {value!r})"
    if limit is not None:
        return None if value in limit else f"must be {limit} (found {value!r})"
    if isinstance(domain, Choice) and value not in domain.options:
        hint = did_you_mean(value.lower(), map(str, domain.options)) if isinstance(value, str) else ""
        return f"must be one of {', '.join(map(str, domain.options))}{hint} (found {value!r})"
    return None


def bounds_problem(key: str, bounds: Bounds, adapter: Adapter) -> str | None:
    """Return why a hyperparameter cannot have a bound or an option; None if it can have all of them."""
    if bounds.options is not None:
        return next(filter(None, (value_problem(key, option, adapter) for option in bounds.options)), None)
    limit = adapter.traits.limits.get(key, Allowed())
    outside = [end for end in (bounds.low, bounds.high) if end is not None and end not in limit]
    return f"must be {limit} (found {outside[0]:g})" if outside else None


def fits(value: Any, default: Hyperparameter) -> bool:
    """Return whether a value has the type of a default; a whole number passes as float, a bool as neither.

    >>> fits(1, 0.5), fits(1e3, 64), fits(2.5, 64), fits(True, 1), fits("64", 64)
    (True, True, False, False, False)
    """
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, int):
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(default, float):
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, type(default))


def unusual_values(models: Iterable[Model | ListsRow], registry: Registry) -> Iterator[Complaint]:
    """Yield each fixed hyperparameter that lies outside the range or the options that are searched."""
    for index, model in enumerate(models):
        if isinstance(model, ListsRow):
            continue
        space = registry[model.use].traits.space
        for key, value in model.set.items():
            if key in space and value not in space[key]:
                text = f"{value} lies outside {space[key]}, within which {model.use} is tuned"
                yield Complaint(("models", index, "set", key), text)
