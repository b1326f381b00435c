"""Single keys of a suite, set from outside: ``--set budget.per_model=60s --set models.native/bpr.dim=64``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from benchmark.errors import SuiteError, did_you_mean
from benchmark.names import meant_by
from benchmark.suite.document import Document, is_null
from benchmark.suite.lists_row import LISTS_KEY, ListsRow
from benchmark.suite.schema import Model
from benchmark.suite.yaml_text import KeyPath, Reader, Scalar

Assignments: TypeAlias = "Mapping[str, Any] | Sequence[str]"
"""Keys and values, or texts such as ``"budget.per_model=60s"``, whose values are read as in a suite file."""

KEY = re.compile(r"\.?([^.\[\]]+)")
INDEX = re.compile(r"\[(\d+)\]")
NAMED = {"datasets": "name", "models": "use"}
"""Lists whose entries have names, and the key that a bare name stands for."""
MODEL_KEYS = Model.model_fields.keys() | ListsRow.model_fields.keys()


@dataclass(frozen=True)
class Assignment:
    """One key that is set from outside.

    Attributes:
        key: as written: keys joined by dots; an entry of a list by its name, or as ``models[0]``.
        value: plain, or as the reader of YAML leaves it.
        origin: how a complaint about it begins.
    """

    key: str
    value: Any
    origin: str


def assigned(given: Assignments) -> Iterator[Assignment]:
    """Yield what is set, in order.

    Raises:
        SuiteError: a text has no key or no value, or its value is not YAML.
    """
    if isinstance(given, Mapping):
        yield from (Assignment(key, value, f"set {key}") for key, value in given.items())
        return
    if isinstance(given, str):
        given = [given]
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise SuiteError(f"--set {text}: must be KEY=VALUE, such as budget.per_model=60s")
        origin = f"--set {text}"
        yield Assignment(key.strip(), read_value(value.strip(), origin), origin)


def read_value(text: str, where: str) -> Any:
    """Return a value as a suite writes it: lists, mappings and text in quotes as YAML, all else as it stands.

    So ``>= 4``, which is no YAML, needs no second pair of quotes, and nothing is cut off as a comment.

    Raises:
        SuiteError: it begins as YAML and is none.
    """
    is_yaml = text.startswith(("[", "{", '"', "'"))
    try:
        value = Reader(where, first_line=0).read(text)
    except (yaml.YAMLError, RecursionError) as error:
        if is_yaml:
            raise SuiteError(f"{where}: is not YAML: {getattr(error, 'problem', error)}") from error
        return text
    as_it_stands = value.text if isinstance(value, Scalar) else value
    return value if is_yaml or not text or as_it_stands == text else text


def assign(document: Document, one: Assignment) -> None:
    """Set a key of a suite; null leaves it out, so that its default holds.

    A hyperparameter that is fixed is no longer tuned, and one that is tuned is no longer fixed.

    Raises:
        SuiteError: the key leads nowhere, such as to a model that the suite does not have.
    """
    key_path = key_path_of(document, one)
    if is_null(one.value):
        if isinstance(key_path[-1], int):
            raise SuiteError(f"{one.origin}: an entry of a list has no default; set the list without it")
        document.drop(key_path)
        return
    document.set(key_path, one.value, one.origin)
    match key_path:
        case ("models", entry, "set" | "tune" as how, key, *_):
            document.drop(("models", entry, "tune" if how == "set" else "set", key))


def key_path_of(document: Document, one: Assignment) -> KeyPath:
    """Return the key that an assignment means; a bare name on the way becomes an entry.

    Raises:
        SuiteError: it leads nowhere.
    """
    here: Any = document.content
    rest, path = one.key, list[str | int]()
    while rest:
        if isinstance(here, list):
            index, rest = entry_of(here, path, rest, one)
            path.append(index)
            if rest and len(path) == 2 and not isinstance(here[index], dict):
                here[index] = {NAMED[str(path[0])]: here[index]}
        else:
            match = KEY.match(rest)
            if INDEX.match(rest) and path:
                raise SuiteError(
                    f"{one.origin}: the suite does not list {path[-1]}: set all of it, as in {path[-1]}=[...]"
                )
            if match is None or (not path and rest.startswith(".")):
                raise SuiteError(f"{one.origin}: {one.key!r} is not a key such as budget.per_model")
            key, rest = match[1], rest[match.end() :]
            if len(path) == 2 and path[0] == "models" and key not in MODEL_KEYS:
                path.append("set")
                here = here.get("set") if isinstance(here, dict) else None
            path.append(key)
        here = step(here, path[-1])
    if not path:
        raise SuiteError(f"{one.origin}: has no key; name one, such as budget.per_model")
    return tuple(path)


def step(here: Any, key: str | int) -> Any:
    """Return what is below a key; None for nothing."""
    if isinstance(here, list) and isinstance(key, int):
        return here[key]
    return here.get(key) if isinstance(here, dict) else None


def entry_of(
    entries: Sequence[Any], path: Sequence[str | int], rest: str, one: Assignment
) -> tuple[int, str]:
    """Return the index of the entry of a list that the rest of a key begins with, and what follows.

    Raises:
        SuiteError: there is none.
    """
    if (match := INDEX.match(rest)) and int(match[1]) < len(entries):
        return int(match[1]), rest[match.end() :]
    what = str(path[-1])
    if len(path) != 1 or what not in NAMED:
        raise SuiteError(
            f"{one.origin}: {what} is a list of {len(entries)}: name an entry, as in {what}[0], or set all "
            f"of it, as in {what}=[...]"
        )
    names = [name_of(entry, what) for entry in entries]
    wanted = rest.removeprefix(".")
    # Names have dots themselves: the longest that the key begins with is meant.
    ends = [len(wanted), *(at for at in range(len(wanted) - 1, 0, -1) if wanted[at] in ".[")]
    for end in ends:
        if (name := meant_by(wanted[:end], names)) is not None:
            return names.index(name), wanted[end:]
    kind = {"datasets": "data set", "models": "model"}[what]
    unknown = wanted.partition(".")[0]
    raise SuiteError(
        f"{one.origin}: there is no {kind} {unknown!r}{did_you_mean(unknown, names)}\n"
        f"  The suite has: {', '.join(names)}."
    )


def name_of(entry: Any, what: str) -> str:
    """Return the name of an entry of a suite's data sets or models, as its board shows it."""
    if isinstance(entry, dict):
        lists = entry.get(LISTS_KEY)
        of_lists = Path(str(lists.get("test"))).stem if isinstance(lists, dict) else ""
        entry = entry.get("name") or entry.get(NAMED[what]) or of_lists
    return entry.text if isinstance(entry, Scalar) else str(entry)
