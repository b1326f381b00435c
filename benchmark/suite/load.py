"""From a YAML file or a mapping to a validated suite, with every complaint at once, each at its line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from benchmark.errors import SuiteError, did_you_mean
from benchmark.registry import Registry
from benchmark.suite.complaints import (
    Complaint,
    KeyPath,
    log_complaints,
    model_complaints,
    readable_models,
    schema_complaints,
)
from benchmark.suite.schema import Suite

PLAIN_TAGS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


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
    path: Path, registry: Registry, changes: Mapping[str, Any] | None = None, *, changed_by: str = "changes"
) -> Suite:
    """Return the validated suite of a file; it knows the path it came from.

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
    return parse_suite(text, str(path), registry, changes, changed_by=changed_by).read_from(path)


def parse_suite(
    text: str,
    where: str,
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    changed_by: str = "changes",
) -> Suite:
    """Return the validated suite of a YAML text; ``where`` names the text in complaints."""
    document = Document.from_yaml(text, where)
    document.change(changes or {}, changed_by)
    return document.validated(registry)


def suite_from_mapping(
    content: Mapping[str, Any],
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    changed_by: str = "changes",
) -> Suite:
    """Return the validated suite that a mapping describes, with the keys of a suite file."""
    document = Document(dict(content), "suite")
    document.change(changes or {}, changed_by)
    return document.validated(registry)


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
        lines: dict[KeyPath, int] = {}
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            content = _value(node, (), lines) if node is not None else None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            raise SuiteError(f"{where}{line}: is not YAML: {getattr(error, 'problem', error)}") from error
        except RecursionError as error:
            raise SuiteError(f"{where}: is nested too deeply, or an alias contains itself") from error
        if not isinstance(content, dict):
            raise SuiteError(f"{where}:1: a suite is a mapping with at least name, datasets and models")
        return cls(content, where, lines)

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

    def validated(self, registry: Registry) -> Suite:
        """Return the suite.

        Raises:
            SuiteError: with every complaint, one a line.
        """
        try:
            suite = Suite.model_validate(self.content).completed()
            complaints = [*model_complaints(enumerate(suite.models), registry), *log_complaints(suite)]
        except ValidationError as error:
            readable = readable_models(self.content.get("models"))
            complaints = [*schema_complaints(error), *model_complaints(readable, registry)]
        if complaints:
            raise SuiteError(self.located(complaints))
        return suite

    def located(self, complaints: Iterable[Complaint]) -> str:
        """Return complaints as lines "file:line: key: what", in the order of the file.

        A key without a line takes its parent's; a changed key names who changed it, for no line of the file
        is to blame.
        """
        found = []
        for complaint in complaints:
            parents = [complaint.key_path[:n] for n in range(len(complaint.key_path), -1, -1)]
            changed_by = next((self.changed_by[path] for path in parents if path in self.changed_by), None)
            line = next((self.lines[path] for path in parents if path in self.lines), 1)
            origin = f"{self.where}:{line}" if self.lines else self.where
            found.append((0 if changed_by else line, f"{changed_by or origin}: {complaint}"))
        return "\n".join(text for _, text in sorted(dict.fromkeys(found)))


def _value(node: yaml.Node, key_path: KeyPath, lines: dict[KeyPath, int]) -> Any:
    """Return what a YAML node says; note the line of each key below it."""
    lines[key_path] = node.start_mark.line + 1
    if not isinstance(node, yaml.ScalarNode) and node.tag not in PLAIN_TAGS:
        raise yaml.MarkedYAMLError(
            problem=f"the tag {node.tag!r} means nothing here", problem_mark=node.start_mark
        )
    if isinstance(node, yaml.MappingNode):
        result = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                mark = key_node.start_mark
                raise yaml.MarkedYAMLError(problem=f"key {key!r} appears twice", problem_mark=mark)
            result[key] = _value(value_node, (*key_path, key), lines)
            lines[(*key_path, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*key_path, index), lines) for index, child in enumerate(node.value)]
    try:
        return yaml.SafeLoader("").construct_object(node)
    except ValueError as error:  # a date that does not exist
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error
