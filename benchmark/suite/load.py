"""From a YAML file or a mapping to a validated suite, with every complaint at once, each at its line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import SuiteError, did_you_mean
from benchmark.registry import Registry
from benchmark.suite.assignments import Assignments, assign, assigned
from benchmark.suite.document import Document, Origin
from benchmark.suite.inheritance import EXTENDS, read_text, with_bases
from benchmark.suite.schema import Suite
from benchmark.suite.yaml_text import Say


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
    assignments: Assignments = (),
    changed_by: str = "changes",
    say: Say | None = None,
) -> Suite:
    """Return the validated suite of a file; it knows the path it came from.

    Args:
        path: the YAML file.
        registry: adapters that its models may use.
        changes: settings that win over the file and over the assignments, as nested keys.
        assignments: single keys that win over the file, by name; the last wins.
        changed_by: who made the changes: a complaint about one names it in place of the file.
        say: told of each hyperparameter that is unusual, a line each.

    Raises:
        SuiteError: with every complaint, one a line, each with the file that said it.
    """
    document = with_bases(Document.from_yaml(read_text(path), str(path)), (path,))
    suite = changed(document, assignments, changes, changed_by).validated(registry, say)
    return suite.read_from(path, document.bases)


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
    document = with_bases(Document.from_yaml(text, where), (Path(where),))
    return changed(document, (), changes, changed_by).validated(registry, say)


def suite_from_mapping(
    content: Mapping[str, Any],
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    assignments: Assignments = (),
    changed_by: str = "changes",
    say: Say | None = None,
) -> Suite:
    """Return the validated suite that a mapping describes, with the keys of a suite file."""
    document = with_bases(Document({key: copied(value) for key, value in content.items()}, Origin("suite")))
    suite = changed(document, assignments, changes, changed_by).validated(registry, say)
    return suite.read_from(None, document.bases)


def changed(
    document: Document, assignments: Assignments, changes: Mapping[str, Any] | None, by: str
) -> Document:
    """Return a document with what is set from outside.

    Raises:
        SuiteError: a key leads nowhere, or is the one that must be in a file.
    """
    for one in assigned(assignments):
        assign(document, one)
    document.change(changes or {}, by)
    if EXTENDS in document.content:  # files were read before anything was set
        origin = document.origin_of((EXTENDS,))
        raise SuiteError(
            f"{origin}: {EXTENDS}: cannot be set; write it into the suite, or name the other suite"
        )
    return document


def copied(value: Any) -> Any:
    """Return a value whose sections and lists can be changed without changing those of the caller."""
    if isinstance(value, Mapping):
        return {key: copied(inner) for key, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list | tuple) else value
