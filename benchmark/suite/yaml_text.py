"""A YAML text as plain values, each scalar with its text beside what YAML understands by it.

Whether ``no`` is a name or a refusal, and ``0123`` an id or a number, depends on the key that it stands at:
:mod:`benchmark.suite.meaning` decides. Nothing in a text is obeyed, and none is followed without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import yaml

Say: TypeAlias = Callable[[str], None]
"""Takes one line."""

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value is in a suite: ``("models", 1, "set", "dim")``."""

CONTAINERS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
TEXT, WHOLE, FRACTION = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float"))

MOST_VALUES = 20_000
"""Values of a suite; what an alias stands for counts at each use, or nine lines could be a billion values."""

MOST_CHARACTERS = 500_000
"""Characters of a suite: reading as many takes seconds."""

LARGEST = 2**63
"""Whole numbers from here on fit no counter of ours."""

POWER_OF_TEN = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
"""``1e-3``, which YAML 1.1 takes for text and everybody else for a number."""

ZEROS_FIRST = re.compile(r"[-+]?0[0-9_]+")
"""``0123``, which YAML 1.1 takes for an octal number and nobody else does."""


@dataclass(frozen=True)
class Scalar:
    """A scalar that may be more than text.

    Attributes:
        text: as it is written.
        kind: what it looks like to YAML: "null", "bool", "int", "float", "timestamp".
        understood: makes what YAML understands by it.
        mark: where it stands.
    """

    text: str
    kind: str
    understood: Callable[[], Any]
    mark: yaml.Mark

    @property
    def value(self) -> Any:
        """What YAML understands by it.

        Raises:
            MarkedYAMLError: it is nothing of the kind that it looks like, such as a 45th of May.
        """
        try:
            value = self.understood()
        except (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError) as error:
            problem = (
                str(error) if isinstance(error, ValueError) and str(error) else "is not what its tag says"
            )
            raise yaml.MarkedYAMLError(problem=f"{problem}: {self.text!r}", problem_mark=self.mark) from error
        if isinstance(value, int) and abs(value) >= LARGEST:
            digits = "a whole number must be below 2^63 in size"
            raise yaml.MarkedYAMLError(problem=digits, problem_mark=self.mark)
        if value is not None and not isinstance(value, bool | int | float | str | date):
            raise yaml.MarkedYAMLError(problem="its tag means nothing here", problem_mark=self.mark)
        return value


@dataclass
class Reader:
    """Reads one document.

    Attributes:
        name: of the document, in complaints.
        first_line: its number; 0 for what has no lines, as it is not from a file.
        lines: the line of each key, once read.
    """

    name: str
    first_line: int = 1
    lines: dict[KeyPath, int] = field(default_factory=dict)
    _values: int = 0

    def read(self, text: str) -> Any:
        """Return what a text says, scalars that may be more than text as :class:`Scalar`; None for nothing.

        Raises:
            YAMLError: it is not YAML, bears a tag, repeats a key, or has too many values.
            RecursionError: it is nested too deeply, or an alias contains itself.
        """
        if len(text) > MOST_CHARACTERS:
            raise yaml.YAMLError(f"has {len(text):,} characters; a suite has {MOST_CHARACTERS:,} at most")
        loader = yaml.SafeLoader(text)
        # Every mark bears them, so that a fault found later names its file and line.
        loader.name, loader.line = self.name, self.first_line - 1
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
        return None if node is None else self._value(node, ())

    def _value(self, node: yaml.Node, key_path: KeyPath) -> Any:
        self.lines[key_path] = node.start_mark.line + 1
        self._values += 1
        if self._values > MOST_VALUES:
            problem = f"says more than {MOST_VALUES:,} values, aliases counted at each use; leave some out"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return scalar(node)
        if node.tag not in CONTAINERS:
            problem = f"the tag {node.tag!r} means nothing here"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, key_path))
        return [self._value(child, (*key_path, index)) for index, child in enumerate(node.value)]

    def _entries(self, node: yaml.MappingNode, key_path: KeyPath) -> Iterator[tuple[str, Any]]:
        seen = set()
        for key_node, value_node in node.value:
            key, mark = key_node.value, key_node.start_mark
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} appears twice", problem_mark=mark)
            seen.add(key)
            yield key, self._value(value_node, (*key_path, key))
            self.lines[(*key_path, key)] = mark.line + 1


def scalar(node: yaml.ScalarNode) -> str | Scalar:
    """Return a scalar: text where it can be nothing else.

    Raises:
        MarkedYAMLError: it bears a tag that YAML does not have.
    """
    text: str = node.value
    tag, mark = node.tag, node.start_mark
    if node.style is None and tag == TEXT and POWER_OF_TEN.fullmatch(text):
        return Scalar(text, "float", lambda: float(text), mark)
    if tag == TEXT or (tag in {WHOLE, FRACTION} and ":" in text):  # 12:30 is no number to the base of 60
        return text
    if tag == WHOLE and ZEROS_FIRST.fullmatch(text):
        return Scalar(text, "int", lambda: int(text.replace("_", "")), mark)
    if tag not in yaml.SafeLoader.yaml_constructors:
        problem = f"could not determine a constructor for the tag {tag!r}"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
    kind = tag.rpartition(":")[2]
    return Scalar(text, kind, lambda: yaml.SafeLoader("").construct_object(node), mark)
