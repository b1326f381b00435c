"""From a YAML file or a mapping to a validated suite, with every complaint at once, each at its line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import ValidationError

from benchmark.errors import SuiteError, did_you_mean
from benchmark.registry import Registry
from benchmark.suite.complaints import (
    MOST_COMPLAINTS,
    lists_complaints,
    log_complaints,
    model_complaints,
    readable_models,
    schema_complaints,
)
from benchmark.suite.meaning import as_meant
from benchmark.suite.schema import Suite
from benchmark.suite.set_and_tune import Complaint, unusual_values
from benchmark.suite.yaml_text import KeyPath, Reader

Say: TypeAlias = Callable[[str], None]
"""Takes one line."""


def find_suite(name: str) -> Path:
    """Return the suite file that a path or a bare name means.

    Raises:
        SuiteError: there is none; the message names the suites that ship.
    """
    path = Path(name)
    if os.path.isfile(path):  # noqa: PTH113 - false, not an error, for a name that no file can have
        return path
    shipped = shipped_suites()
    if path.suffix == "" and name in shipped:
        return shipped[name]
    what = "is a folder, a suite is a YAML file" if os.path.isdir(path) else "there is no such suite"  # noqa: PTH112 - the same
    hint = did_you_mean(path.stem, shipped)
    raise SuiteError(f"{name}: {what}{hint}\n  Suites that ship with bench: {', '.join(shipped)}.")


def shipped_suites() -> Mapping[str, Path]:
    """Return the suites that ship with bench, by bare name."""
    here = Path(__file__).parents[1]
    folders = [here / "suites", here.parent / "suites"]
    return {path.stem: path for folder in reversed(folders) for path in sorted(folder.glob("*.yaml"))}


def load_suite(
    path: Path,
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    changed_by: str = "changes",
    say: Say | None = None,
) -> Suite:
    """Return the validated suite of a file; it knows the path it came from.

    Args:
        path: the YAML file.
        registry: adapters that its models may use.
        changes: settings that win over the file, as nested keys.
        changed_by: who made the changes: a complaint about one names it in place of the file.
        say: told of each hyperparameter that is unusual, a line each.

    Raises:
        SuiteError: with every complaint, one a line.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot be read ({error})") from error
    return parse_suite(text, str(path), registry, changes, changed_by=changed_by, say=say).read_from(path)


def parse_suite(
    text: str,
    where: str,
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    changed_by: str = "changes",
    say: Say | None = None,
) -> Suite:
    """Return the validated suite of a YAML text; ``where`` names the text in complaints."""
    document = Document.from_yaml(text, where)
    document.change(changes or {}, changed_by)
    return document.validated(registry, say)


def suite_from_mapping(
    content: Mapping[str, Any],
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    changed_by: str = "changes",
    say: Say | None = None,
) -> Suite:
    """Return the validated suite that a mapping describes, with the keys of a suite file."""
    document = Document(dict(content), "suite")
    document.change(changes or {}, changed_by)
    return document.validated(registry, say)


@dataclass
class Document:
    """What a suite says before it is validated.

    Attributes:
        content: its keys and values.
        where: its name in complaints.
        lines: the line of each key; empty where it was not read from a text.
        changed_by: who set a key in place of the suite; a complaint about that key names them.
    """

    content: dict[str, Any]
    where: str
    lines: dict[KeyPath, int] = field(default_factory=dict)
    changed_by: dict[KeyPath, str] = field(default_factory=dict)

    @classmethod
    def from_yaml(cls, text: str, where: str) -> Document:
        """Read a YAML text; no tag of it is ever obeyed.

        Raises:
            SuiteError: it is not YAML, or not a mapping.
        """
        reader = Reader()
        with yaml_errors_as_suite_error(where):
            content = reader.read(text)
        if not isinstance(content, dict):
            raise SuiteError(f"{where}:1: a suite is a mapping with at least name, datasets and models")
        return cls(content, where, reader.lines)

    def change(self, changes: Mapping[str, Any], by: str) -> None:
        """Set values in place of the suite's own; the other keys of a section stay as they are."""
        for key, value in changes.items():
            old = self.content.get(key, {})
            if not isinstance(value, dict):
                self.content[key] = value
                self.changed_by[key,] = by
            elif isinstance(old, dict):  # otherwise the suite's own fault: the schema complains about it
                self.content[key] = {**old, **value}
                self.changed_by |= {(key, inner): by for inner in value}

    def validated(self, registry: Registry, say: Say | None = None) -> Suite:
        """Return the suite; tell ``say`` of each hyperparameter that is unusual, a line each.

        Raises:
            SuiteError: with the first complaints, one a line.
        """
        with yaml_errors_as_suite_error(self.where):
            content = as_meant(self.content, registry)
        try:
            suite = Suite.model_validate(content).completed()
            of_models = model_complaints(enumerate(suite.models), registry)
            of_lists = islice(lists_complaints(suite), MOST_COMPLAINTS + 1)
            complaints = [*islice(of_models, MOST_COMPLAINTS + 1), *of_lists, *log_complaints(suite)]
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

    def place(self, key_path: KeyPath) -> int:
        """Return the line of a key, or else of the nearest section around it; 0 for what was changed."""
        parents = [key_path[:n] for n in range(len(key_path), -1, -1)]
        if any(path in self.changed_by for path in parents):
            return 0
        return next((self.lines[path] for path in parents if path in self.lines), 1)

    def located(self, complaints: Iterable[Complaint]) -> str:
        """Return complaints as lines "file:line: key: what", in the order of the file; of many, the first.

        A key without a line takes its parent's; a changed key names who changed it, for no line of the file
        is to blame.
        """
        found = []
        for complaint in complaints:
            parents = [complaint.key_path[:n] for n in range(len(complaint.key_path), -1, -1)]
            changed_by = next((self.changed_by[path] for path in parents if path in self.changed_by), None)
            line = self.place(complaint.key_path)
            origin = f"{self.where}:{line}" if self.lines else self.where
            found.append((line, f"{changed_by or origin}: {complaint}"))
        texts = [text for _, text in sorted(dict.fromkeys(found))]
        more = [f"{self.where}: and more of the kind"] if len(texts) > MOST_COMPLAINTS else []
        return "\n".join([*texts[:MOST_COMPLAINTS], *more])


@contextmanager
def yaml_errors_as_suite_error(where: str) -> Iterator[None]:
    """Turn what YAML refuses into one message with its line.

    Raises:
        SuiteError: in place of the YAML error.
    """
    try:
        yield
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise SuiteError(f"{where}{line}: is not YAML: {getattr(error, 'problem', error)}") from error
    except RecursionError as error:
        raise SuiteError(f"{where}: is nested too deeply, or an alias contains itself") from error
