"""What a suite says before it is validated, and where each key was said: in which file, by which flag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from benchmark.errors import SuiteError
from benchmark.registry import Registry
from benchmark.suite.complaints import (
    MOST_COMPLAINTS,
    lists_complaints,
    log_complaints,
    model_complaints,
    path_complaints,
    readable_models,
    schema_complaints,
)
from benchmark.suite.meaning import as_meant
from benchmark.suite.path_keys import moved, path_keys, put_path
from benchmark.suite.schema import Suite
from benchmark.suite.set_and_tune import Complaint, unusual_values
from benchmark.suite.yaml_text import KeyPath, Reader, Say


@dataclass(frozen=True)
class Origin:
    """Where a key was said.

    Attributes:
        where: the file, or who changed the key.
        line: in the file; 0 where there is none.
        rank: orders complaints: -1 for changes, 0 for the suite itself, 1 for what it extends, and so on.
        folder: of the file; None without one.
        written: the same as the suites say it that extend the file, variables as they are written; empty for
            the suite itself.
    """

    where: str
    line: int = 0
    rank: int = 0
    folder: Path | None = None
    written: str = ""

    def __str__(self) -> str:
        """Return how a complaint begins.

        >>> str(Origin("shop.yaml", 3)), str(Origin("command line"))
        ('shop.yaml:3', 'command line')
        """
        return f"{self.where}:{self.line}" if self.line else self.where


@dataclass
class Document:
    """What a suite says before it is validated.

    Attributes:
        content: its keys and values.
        origin: of the suite as a whole.
        origins: of each key; a key without one has that of the nearest section around it.
        bases: the files that it extends, the nearest first.
    """

    content: dict[str, Any]
    origin: Origin
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    bases: tuple[str, ...] = ()

    @classmethod
    def from_yaml(cls, text: str, where: str, rank: int = 0, written: str = "") -> Document:
        """Read a YAML text; no tag of it is ever obeyed.

        Args:
            text: to read.
            where: the file that it is from, or its name in complaints.
            rank: as in :class:`Origin`.
            written: likewise.

        Raises:
            SuiteError: it is not YAML, or not a mapping.
        """
        reader, folder = Reader(where), Path(where).parent
        with yaml_errors_as_suite_error(where):
            content = reader.read(text)
        if not isinstance(content, dict):
            raise SuiteError(f"{where}:1: a suite is a mapping with at least name, datasets and models")
        origins = {
            key_path: Origin(where, line, rank, folder, written)
            for key_path, line in reader.lines.items()
            if key_path
        }
        return cls(content, Origin(where, 1, rank, folder, written), origins)

    def change(self, changes: Mapping[str, Any], by: str) -> None:
        """Set values in place of the suite's own; the other keys of a section stay as they are."""
        for key, value in changes.items():
            old = self.content.get(key, {})
            if not isinstance(value, dict):
                self.set((key,), value, by)
            elif isinstance(old, dict):  # otherwise the suite's own fault: the schema complains about it
                self.content[key] = {**old, **value}
                for inner in value:
                    self.said((key, inner), by)

    def set(self, key_path: KeyPath, value: Any, by: str) -> None:
        """Set one value; sections on the way to it are made, and what is in the way is replaced."""
        here: Any = self.content
        for depth, (key, following) in enumerate(pairwise(key_path)):
            inner = here.get(key) if isinstance(here, dict) else here[key]
            if not isinstance(inner, list if isinstance(following, int) else dict):
                inner = here[key] = {}
                self.said(key_path[: depth + 1], by)
            here = inner
        here[key_path[-1]] = value
        self.said(key_path, by)

    def drop(self, key_path: KeyPath) -> None:
        """Leave out a key, so that its default holds; nothing happens if it is not there."""
        here: Any = self.content
        for key in key_path[:-1]:
            here = here.get(key) if isinstance(here, dict) else here[key]
            if not isinstance(here, dict | list):
                return
        if isinstance(here, dict):
            here.pop(key_path[-1], None)
            self.forget(key_path)

    def said(self, key_path: KeyPath, by: str) -> None:
        """Note who said a key, and all that is below it, in place of the suite."""
        self.forget(key_path)
        self.origins[key_path] = Origin(by, rank=-1)

    def forget(self, key_path: KeyPath) -> None:
        """Forget where a key and all below it were said."""
        depth = len(key_path)
        for known in [path for path in self.origins if path[:depth] == key_path]:
            del self.origins[known]

    def extend(self, base: Document) -> None:
        """Take over what a base says where this says nothing: sections key by key, lists as a whole.

        A key that is null here is left out, and its default holds.
        """
        name = Path(base.origin.where).name
        where = f"{base.origin.written}/{name}" if "${" in base.origin.written else base.origin.where
        self.bases = (where, *base.bases)
        self.content = self._over(base, self.content, base.content, ())

    def _over(
        self, base: Document, own: Mapping[str, Any], below: Mapping[str, Any], at: KeyPath
    ) -> dict[str, Any]:
        """Return one section of this over the same one of a base, keys in the base's order."""
        merged = {}
        for key in [*below, *(key for key in own if key not in below)]:
            here = (*at, key)
            if key not in own:
                merged[key] = below[key]
                depth = len(here)
                self.origins |= {path: one for path, one in base.origins.items() if path[:depth] == here}
            elif key in below and is_null(own[key]):
                self.forget(here)
            elif isinstance(own[key], dict) and isinstance(below.get(key), dict):
                merged[key] = self._over(base, own[key], below[key], here)
            else:
                merged[key] = own[key]
        return merged

    def validated(self, registry: Registry, say: Say | None = None) -> Suite:
        """Return the suite; tell ``say`` of each hyperparameter that is unusual, a line each.

        Raises:
            SuiteError: with the first complaints, one a line.
        """
        with yaml_errors_as_suite_error(self.origin.where):
            content = as_meant(self.content, registry)
        try:
            suite = Suite.model_validate(content)
            if self.bases:
                suite = self._with_paths_of_bases(suite, content)
            suite = suite.completed()
            of_models = model_complaints(enumerate(suite.models), registry)
            of_lists = islice(lists_complaints(suite), MOST_COMPLAINTS + 1)
            of_paths = islice(path_complaints(suite), MOST_COMPLAINTS + 1)
            of_models = islice(of_models, MOST_COMPLAINTS + 1)
            complaints = [*of_models, *of_lists, *of_paths, *log_complaints(suite)]
        except ValidationError as error:
            of_models = model_complaints(readable_models(content.get("models")), registry)
            of_schema = schema_complaints(error, self.place, MOST_COMPLAINTS + 1)
            complaints = [*of_schema, *islice(of_models, MOST_COMPLAINTS + 1)]
        if complaints:
            raise SuiteError(self.located(complaints))
        if say is not None:
            for unusual in unusual_values(suite.models, registry):
                say(self.located([unusual]))
        return suite

    def _with_paths_of_bases(self, suite: Suite, content: dict[str, Any]) -> Suite:
        """Return the suite, paths of bases in other folders as they are from the suite's own."""
        own, other = self.origin.folder or Path(), False
        for key_path, text in path_keys(suite):
            origin = self.origin_of(key_path)
            folder, written = origin.folder, origin.written
            if folder is not None and (new := moved(text, folder, own, written)) != text:
                put_path(content, key_path, new)
                other = True
        return Suite.model_validate(content) if other else suite

    def origin_of(self, key_path: KeyPath) -> Origin:
        """Return where a key was said, or else the nearest section around it."""
        parents = (key_path[:n] for n in range(len(key_path), 0, -1))
        return next((self.origins[path] for path in parents if path in self.origins), self.origin)

    def place(self, key_path: KeyPath) -> tuple[int, int]:
        """Return what sorts keys: changes, then the suite, then what it extends, each by line."""
        origin = self.origin_of(key_path)
        return origin.rank, origin.line

    def located(self, complaints: Iterable[Complaint]) -> str:
        """Return complaints as lines "file:line: key: what", in the order of the files; of many, the first.

        A key without a line takes its parent's; a changed key names who changed it, for no line of the file
        is to blame.
        """
        found = [(self.place(one.key_path), f"{self.origin_of(one.key_path)}: {one}") for one in complaints]
        texts = [text for _, text in sorted(dict.fromkeys(found))]
        more = [f"{self.origin.where}: and more of the kind"] if len(texts) > MOST_COMPLAINTS else []
        return "\n".join([*texts[:MOST_COMPLAINTS], *more])


def is_null(value: Any) -> bool:
    """Return whether a value says nothing."""
    return value is None or getattr(value, "kind", None) == "null"


@contextmanager
def yaml_errors_as_suite_error(where: str) -> Iterator[None]:
    """Turn what YAML refuses into one message with its file and line.

    Raises:
        SuiteError: in place of the YAML error.
    """
    try:
        yield
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = where if mark is None else Origin(mark.name, mark.line + 1)
        raise SuiteError(f"{place}: is not YAML: {getattr(error, 'problem', error)}") from error
    except RecursionError as error:
        raise SuiteError(f"{where}: is nested too deeply, or an alias contains itself") from error
