"""From a YAML file to a validated suite, with every complaint at once, each at its line."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import BaseModel, ValidationError

from benchmark.errors import SuiteError, did_you_mean
from benchmark.protocol import Choice, Range
from benchmark.registry import Adapter, Registry
from benchmark.suite.schema import Bounds, Model, Suite

Place: TypeAlias = tuple[str | int, ...]
PLAIN = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


def find(name: str) -> Path:
    """Return the suite file that a path or a bare name means.

    Raises:
        SuiteError: there is none; the message names the suites that ship.
    """
    path = Path(name)
    if os.path.isfile(path):  # noqa: PTH113 - false, not an error, for a name that no file can have
        return path
    shipped = known_suites()
    if path.suffix == "" and name in shipped:
        return shipped[name]
    what = "is a folder, a suite is a YAML file" if os.path.isdir(path) else "there is no such suite"  # noqa: PTH112 - the same
    hint = did_you_mean(path.stem, shipped)
    raise SuiteError(f"{name}: {what}{hint}\n  Shipped are: {', '.join(shipped)}.")


def known_suites() -> dict[str, Path]:
    """Return the suites that ship with bench, by bare name."""
    here = Path(__file__).parents[1]
    folders = [here / "suites", here.parent / "suites"]
    return {path.stem: path for folder in reversed(folders) for path in sorted(folder.glob("*.yaml"))}


def load(
    path: Path,
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    changed_by: str = "changes",
) -> Suite:
    """Return the validated suite of a file.

    Args:
        path: the YAML file.
        registry: adapters that its models may use.
        changes: settings that win over the file, as nested keys.
        changed_by: who made the changes: a complaint about one names it in place of the file.

    Raises:
        SuiteError: with every complaint, one a line.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot be read ({error})") from error
    return parse(text, str(path), registry, changes, changed_by=changed_by)


def parse(
    text: str,
    where: str,
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    changed_by: str = "changes",
) -> Suite:
    """Return the validated suite of a YAML text; ``where`` names it in complaints."""
    content, lines = _compose(text, where)
    changed = _changed(content, changes or {})
    try:
        suite = Suite.model_validate(content)
        complaints = list(_model_complaints(enumerate(suite.models), registry))
    except ValidationError as error:
        readable = _readable_models(content.get("models"))
        complaints = [*_schema_complaints(error), *_model_complaints(readable, registry)]
    if complaints:
        raise SuiteError(_joined(complaints, where, lines, dict.fromkeys(changed, changed_by)))
    return suite


def _compose(text: str, where: str) -> tuple[dict[str, Any], dict[Place, int]]:
    """Return what a YAML text says, and the line of each of its keys."""
    lines: dict[Place, int] = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = _read(node, (), lines) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise SuiteError(f"{where}{line}: is not YAML: {getattr(error, 'problem', error)}") from error
    except RecursionError as error:
        raise SuiteError(f"{where}: is nested too deeply, or an alias contains itself") from error
    if not isinstance(content, dict):
        raise SuiteError(f"{where}:1: a suite is a mapping with at least name, datasets and models")
    return content, lines


def _changed(content: dict[str, Any], changes: Mapping[str, Any]) -> list[Place]:
    """Put the changes into what the file says; return the place of each."""
    places: list[Place] = []
    for key, value in changes.items():
        old = content.get(key, {})
        if not isinstance(value, dict):
            content[key] = value
            places.append((key,))
        elif isinstance(old, dict):  # a section that is no mapping is the file's fault, and said so
            content[key] = {**old, **value}
            places += [(key, inner) for inner in value]
    return places


def _readable_models(models: Any) -> Iterable[tuple[int, Model]]:
    """Return the models that can be judged although the suite as a whole cannot."""
    for index, entry in enumerate(models if isinstance(models, list) else []):
        with contextlib.suppress(ValidationError):
            yield index, Model.model_validate({"use": entry} if isinstance(entry, str) else entry)


def _read(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Any:
    lines[place] = node.start_mark.line + 1
    if not isinstance(node, yaml.ScalarNode) and node.tag not in PLAIN:
        raise yaml.MarkedYAMLError(
            problem=f"the tag {node.tag!r} means nothing here", problem_mark=node.start_mark
        )
    if isinstance(node, yaml.MappingNode):
        result = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                mark = key_node.start_mark
                raise yaml.MarkedYAMLError(problem=f"key {key!r} stands twice", problem_mark=mark)
            result[key] = _read(value_node, (*place, key), lines)
            lines[(*place, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_read(child, (*place, index), lines) for index, child in enumerate(node.value)]
    try:
        return yaml.SafeLoader("").construct_object(node)
    except ValueError as error:  # a date that no calendar has
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error


def _joined(
    complaints: Iterable[tuple[Place, str]], where: str, lines: dict[Place, int], changed: dict[Place, str]
) -> str:
    """Write complaints as file:line: key: what; a place without a line takes its parent's.

    What was changed outside the file names who changed it: no line of the file is to blame.
    """
    written = []
    for place, text in complaints:
        parents = [place[:n] for n in range(len(place), -1, -1)]
        line = next((lines[parent] for parent in parents if parent in lines), 1)
        by = next((changed[parent] for parent in parents if parent in changed), None)
        written.append((0 if by else line, f"{by or f'{where}:{line}'}: {_dotted(place)}{text}"))
    return "\n".join(text for _, text in sorted(dict.fromkeys(written)))


def _dotted(place: Place) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return f"{text.lstrip('.')}: " if text else ""


def _schema_complaints(error: ValidationError) -> Iterable[tuple[Place, str]]:
    faults = error.errors()
    for fault in faults:
        place = tuple(part for part in fault["loc"] if not _is_union_tag(part))
        if fault["type"] == "too_short" and any(
            other["loc"] != fault["loc"] and other["loc"][: len(fault["loc"])] == fault["loc"]
            for other in faults
        ):
            continue  # its entries are there, and complained about
        if fault["type"] == "extra_forbidden":
            yield place, f"unknown key{did_you_mean(str(place[-1]), _keys_at(place[:-1]))}"
        elif fault["type"] == "missing":
            yield place, "is missing"
        else:
            text = _in_words(fault, place)
            yield place, text + ("" if repr(fault["input"]) in text else _found(fault["input"]))


def _in_words(fault: Any, place: Place) -> str:
    """Return what must hold, for a fault as pydantic names it."""
    given, details = fault["input"], fault.get("ctx", {})
    match fault["type"]:
        case "value_error":
            return str(details["error"])
        case "literal_error":
            options = str(details["expected"])
            known = [option.strip("' ") for option in options.replace(" or ", ", ").split(",")]
            return f"must be {options}" + (did_you_mean(given, known) if isinstance(given, str) else "")
        case "model_type" | "model_attributes_type" | "dict_type":
            keys = ", ".join(_keys_at(place))
            return "must be a mapping" + (f" with the keys {keys}" if keys else "")
        case "tuple_type" | "list_type":
            return "must be a list"
        case "too_short":
            return f"must have at least {details['min_length']}"
    return str(
        re.sub(r"^Input should (be )?", lambda found: "must be " if found[1] else "must ", fault["msg"])
    )


def _is_union_tag(part: str | int) -> bool:
    return isinstance(part, str) and part in {"bool", "int", "float", "str", "rule", "list"}


def _found(value: Any) -> str:
    return "" if isinstance(value, dict | list | BaseModel | tuple) else f" (found {value!r})"


def _keys_at(place: Place) -> list[str]:
    """Return the keys that the schema knows at a place."""
    current: Any = Suite
    for part in place:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part) if hasattr(current, "model_fields") else None
        current = _section_of(field.annotation) if field else None
    return list(current.model_fields) if hasattr(current, "model_fields") else []


def _section_of(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_of(part) for part in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)


def _model_complaints(models: Iterable[tuple[int, Model]], registry: Registry) -> Iterable[tuple[Place, str]]:
    for index, model in models:
        place: Place = ("models", index)
        if model.use not in registry:
            yield place, f"no adapter is called {model.use!r}{registry.hint(model.use)}"
        else:
            yield from _hyperparameter_complaints(model, registry[model.use], place)


def _hyperparameter_complaints(model: Model, adapter: Adapter, place: Place) -> Iterable[tuple[Place, str]]:
    known = adapter.defaults
    for key, value in model.set.items():
        if key not in known:
            yield (*place, "set", key), f"{model.use} has no {key}{did_you_mean(key, known)}"
        elif not _fits(value, known[key]):
            kind = type(known[key]).__name__
            yield (*place, "set", key), f"must be {kind}, as its default {known[key]!r} (found {value!r})"
    for key, bounds in model.tune.items():
        if key not in adapter.traits.space:
            yield (
                (*place, "tune", key),
                f"{model.use} does not tune {key}{did_you_mean(key, adapter.traits.space)}",
            )
        elif key in model.set:
            yield (*place, "tune", key), "is also in set; it can be fixed or tuned, not both"
        elif problem := _bounds_problem(bounds, adapter.traits.space[key]):
            yield (*place, "tune", key), problem


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, int):
        return isinstance(value, int)
    return isinstance(value, int | float) if isinstance(default, float) else isinstance(value, type(default))


def _bounds_problem(bounds: Bounds, own: Range | Choice) -> str | None:
    if isinstance(own, Choice):
        return (
            None
            if bounds.options and len(bounds.options) > 1
            else f"is a choice; give options: [a, b] of {own}"
        )
    if bounds.options is not None:
        return f"is a range; give low and high (its own: {own})"
    low = own.low if bounds.low is None else bounds.low
    high = own.high if bounds.high is None else bounds.high
    if own.whole and not (float(low).is_integer() and float(high).is_integer()):
        return f"is a whole number; low and high must be too (found {low:g} and {high:g})"
    if not low < high:
        return f"low must be below high (found {low:g} and {high:g})"
    if low <= 0 and (own.log if bounds.log is None else bounds.log):
        return f"is on a log scale, so low must be above 0 (found {low:g}); or say log: false"
    return None
