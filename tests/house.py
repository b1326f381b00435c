"""Counts what makes the code of ``benchmark/`` and ``adapters/`` easy to live in.

The limits are in ``test_repository.py``. A count is a thermometer: a string key that became a local alias of
the same untyped thing has not been mended.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("benchmark", "adapters")
IDIOMS = re.compile(
    r"\b(?:(?:to|can|cannot|could|may|not) be had|(?:gone|going|go|goes) on with|carr(?:y|ies) no"
    r"|(?<!there )is no (?:file|folder|number|run|suite|JSON|directory|state|text|mapping|list|table|column)"
    r"|stands? (?:there|twice|beside|where|behind|before|under)|turned? round"
    r"|without a word)\b"
)
"""Word order and idioms that a native speaker stumbles over."""


@dataclass(frozen=True)
class Module:
    """One file.

    Attributes:
        path: relative to the repository.
        text: its source.
    """

    path: Path
    text: str

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of its syntax tree."""
        return list(ast.walk(ast.parse(self.text)))

    @property
    def lines(self) -> int:
        """Number of lines."""
        return self.text.count("\n")

    @property
    def stem(self) -> str:
        """The module's own name; a package's, for its ``__init__``."""
        return self.path.parent.name if self.path.stem == "__init__" else self.path.stem

    @property
    def room(self) -> str:
        """Where a class name may occur once: the engine, or the adapters of one library."""
        first, second, *_ = self.path.parts
        return first if first == "benchmark" else f"{first}/{second.removesuffix('.py')}"

    def strings(self) -> Iterator[tuple[int, str]]:
        """Yield every string constant with its line, docstrings and pieces of f-strings included."""
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, node.value


@dataclass(frozen=True)
class House:
    """The code of a checkout."""

    modules: tuple[Module, ...]

    @classmethod
    def at(cls, root: Path) -> House:
        """Read every module below a checkout's packages."""
        files = sorted(path for name in PACKAGES for path in (root / name).rglob("*.py"))
        return cls(tuple(Module(path.relative_to(root), path.read_text("utf-8")) for path in files))

    @cached_property
    def lines(self) -> int:
        """Number of lines."""
        return sum(module.lines for module in self.modules)

    @property
    def literal_lookups(self) -> Counter[str]:
        """Look-ups by a literal string, ``x["key"]`` and ``x.get("key")``, by file."""
        found = (
            str(module.path) for module in self.modules for node in module.nodes if is_literal_lookup(node)
        )
        return Counter(found)

    @property
    def untyped_mappings(self) -> Counter[str]:
        """How often each file says ``dict[str, Any]``."""
        return Counter({str(one.path): one.text.count("dict[str, Any]") for one in self.modules})

    @cached_property
    def functions(self) -> list[str]:
        """The name of every function and method."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return [node.name for module in self.modules for node in module.nodes if isinstance(node, kinds)]

    @cached_property
    def private_called_once(self) -> list[str]:
        """Private functions whose name occurs once beside their definition: each is half of its caller."""
        uses: Counter[str] = Counter()
        for module in self.modules:
            for node in module.nodes:
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    uses[node.id] += 1
                elif isinstance(node, ast.Attribute):
                    uses[node.attr] += 1
        return [
            name
            for name in self.functions
            if name.startswith("_") and not is_dunder(name) and uses[name] == 1
        ]

    @property
    def classes_defined_twice(self) -> list[str]:
        """Class names that occur twice in the engine, or twice in the adapters of one library."""
        found = Counter(
            f"{module.room}: {node.name}"
            for module in self.modules
            for node in module.nodes
            if isinstance(node, ast.ClassDef)
        )
        return sorted(name for name, count in found.items() if count > 1)

    @property
    def stems_used_twice(self) -> list[str]:
        """Names of two modules of the engine; a command's file bears the name of the command."""
        stems = [
            one.stem
            for one in self.modules
            if one.path.parts[0] == "benchmark" and one.path.parts[1] != "cli"
        ]
        return sorted(stem for stem, count in Counter(stems).items() if count > 1)

    @property
    def foreign_idioms(self) -> list[str]:
        """Strings with an idiom that is not English."""
        return [
            f"{module.path}:{line}: {match[0]}"
            for module in self.modules
            for line, text in module.strings()
            for match in IDIOMS.finditer(" ".join(text.split()))
        ]


def is_dunder(name: str) -> bool:
    """Return whether a name is one of Python's own."""
    return name.startswith("__") and name.endswith("__")


def is_literal_lookup(node: ast.AST) -> bool:
    """Return whether a node looks something up by a literal string.

    >>> [is_literal_lookup(ast.parse(text, mode="eval").body) for text in ('x["a"]', 'x.get("a")', "x[a]")]
    [True, True, False]
    """
    if isinstance(node, ast.Subscript):
        return is_literal(node.slice)
    is_get = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
    return is_get and bool(node.args) and is_literal(node.args[0])


def is_literal(node: ast.AST) -> bool:
    """Return whether a node is a literal string."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
