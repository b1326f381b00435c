"""Which code is part of an adapter: the modules that its files import, found without importing them."""

from __future__ import annotations

import ast
import importlib.util
from functools import cache
from pathlib import Path


def imported_names(module: str, path: Path) -> set[str]:
    """Return every name that a file imports anywhere, with what it might be a module of."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return set(names_in(package, path.read_text("utf-8")))


@cache
def names_in(package: str, code: str) -> frozenset[str]:
    """Return every name that the code of a module of a package imports; parsed once for all adapters."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def source_file(name: str) -> Path | None:
    """Return the file of a module, or of a package; None if the name is something inside a module."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)  # imports nothing: its name has no dot
    roots = spec.submodule_search_locations if spec else None
    stems = [Path(root, *rest) for root in roots or ()]
    files = [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py")]
    return next((file for file in files if file.is_file()), None)
