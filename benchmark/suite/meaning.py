"""What a scalar of a YAML text means at its key: text where text is meant, else what YAML understands.

So ``gpu: no`` refuses a GPU, a data set may be called ``no``, and ``0123``, ``2024-05-01``, ``1_000`` and
``~`` among ids, names of columns and paths stay as they are written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from benchmark.hyperparameters import Allowed
from benchmark.registry import Adapter, Registry
from benchmark.suite.schema import Suite
from benchmark.suite.yaml_text import Scalar
from benchmark.units import in_percent, share

ANYTHING = object
"""In place of the type of a key that looks at a value before it is told its type."""

ALIKE = {"bool": frozenset({bool}), "int": frozenset({int, float}), "float": frozenset({int, float})}
"""The types that mean a scalar as YAML understands it, by what it looks like to YAML."""


def as_meant(content: Any, registry: Registry) -> Any:
    """Return what a suite says, every scalar as its key means it.

    Raises:
        MarkedYAMLError: a scalar is nothing of the kind that it looks like, and text is not meant.
        AdapterError: an adapter cannot be imported.
    """
    if not isinstance(content, dict):
        return meant(content, [Suite])
    given = content.get("models")
    models = [_model(entry, registry) for entry in given] if isinstance(given, list) else given
    return meant({**content, "models": models} if "models" in content else content, [Suite])


def _model(entry: Any, registry: Registry) -> Any:
    """Return a model by its name as published, its hyperparameters as their defaults mean them."""
    name = entry.get("use") if isinstance(entry, dict) else entry
    if not isinstance(name, str) or name not in registry:
        return entry
    adapter = registry[name]
    if not isinstance(entry, dict):
        return adapter.name
    fixed, tuned = entry.get("set"), entry.get("tune")
    changed = {**entry, "use": adapter.name}
    if isinstance(fixed, dict):
        changed["set"] = {key: _hyperparameter(value, key, adapter) for key, value in fixed.items()}
    if isinstance(tuned, dict):
        changed["tune"] = {key: _bounds(bounds, key, adapter) for key, bounds in tuned.items()}
    return changed


def _bounds(bounds: Any, key: str, adapter: Adapter) -> Any:
    """Return bounds whose ends and options are as the default of a hyperparameter means them."""
    if not isinstance(bounds, dict):
        return bounds
    ends = {end: _share(bounds[end], key, adapter) for end in ("low", "high") if end in bounds}
    options = bounds.get("options")
    if isinstance(options, list):
        ends["options"] = [_hyperparameter(option, key, adapter) for option in options]
    return {**bounds, **ends}


def _hyperparameter(value: Any, key: str, adapter: Adapter) -> Any:
    """Return a value as a default means it; of an unknown hyperparameter as YAML understands it."""
    default = adapter.defaults.get(key)
    plain = meant(value, [bool, int, float] if default is None else [type(default)])
    return _share(plain, key, adapter)


def _share(value: Any, key: str, adapter: Adapter) -> Any:
    """Return what is written in percent as a number, where a hyperparameter is a share, such as dropout."""
    limit = adapter.traits.limits.get(key) if in_percent(value) else None
    if isinstance(limit, Allowed) and limit.low >= 0 and limit.high <= 1:
        with suppress(ValueError):  # no number before the percent sign: the schema says what must hold
            return share(value)
    return value


def meant(value: Any, kinds: Collection[Any]) -> Any:
    """Return a value as a key means it that can have any of these types."""
    if isinstance(value, Scalar):
        return scalar_as_meant(value, kinds)
    if isinstance(value, dict):
        sections: list[Mapping[str, FieldInfo]] = [kind.model_fields for kind in kinds if is_section(kind)]
        # Of several sections the one that has most of the keys, of equals the first.
        fields = max(sections, key=lambda known: len(known.keys() & value.keys()), default={})
        named = next((get_args(kind)[1] for kind in kinds if get_origin(kind) is dict), None)
        return {
            key: meant(entry, kinds_of_field(fields[key]) if key in fields else [*kinds_of(named)])
            for key, entry in value.items()
        }
    if isinstance(value, list):
        inner = next((get_args(kind) for kind in kinds if get_origin(kind) in {tuple, list}), ())
        same = inner[:1] if len(inner) < 2 or inner[1] is Ellipsis else None
        types = same * len(value) if same is not None else inner
        return [
            meant(entry, [*kinds_of(types[index] if index < len(types) else None)])
            for index, entry in enumerate(value)
        ]
    return value


def scalar_as_meant(scalar: Scalar, kinds: Collection[Any]) -> Any:
    """Return a scalar as a key means it that can have any of these types; without any, as YAML does."""
    is_text = bool(kinds) and (str in kinds or scalar.text in kinds or all(map(is_section, kinds)))
    if scalar.kind == "null":
        return None if NoneType in kinds or not is_text or not scalar.text else scalar.text
    if ANYTHING in kinds or ALIKE.get(scalar.kind, frozenset()) & {*kinds}:
        return scalar.value
    # No yes where a number is meant: pydantic would take it for a one.
    return scalar.text if is_text or (kinds and scalar.kind == "bool") else scalar.value


def kinds_of_field(field: FieldInfo) -> list[Any]:
    """Return the types that a key can have."""
    looks_first = any(isinstance(entry, BeforeValidator) for entry in field.metadata)
    return [ANYTHING] if looks_first else [*kinds_of(field.annotation)]


def kinds_of(annotation: Any) -> Iterator[Any]:
    """Yield the types of which an annotation allows any, and the values of literals."""
    if annotation is None:
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        looks_first = any(isinstance(entry, BeforeValidator) for entry in arguments[1:])
        yield from [ANYTHING] if looks_first else kinds_of(arguments[0])
    elif origin is Literal:
        yield from arguments
    elif arguments and origin not in {tuple, list, dict, Mapping}:
        for option in arguments:
            yield from kinds_of(option)
    else:
        yield annotation


def is_section(kind: Any) -> bool:
    """Return whether a type is a section of a suite; a scalar in its place is its name."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)
