"""Suites that extend others: ``extends: base.yaml``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmark.datasets.specs import expanded
from benchmark.errors import SuiteError, did_you_mean
from benchmark.suite.document import Document
from benchmark.suite.yaml_text import Scalar

EXTENDS = "extends"
"""The key by which a suite names the file that it extends."""


def read_text(path: Path) -> str:
    """Return the text of a suite file.

    Raises:
        SuiteError: it cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot be read ({error})") from error


def with_bases(document: Document, below: tuple[Path, ...] = ()) -> Document:
    """Return a document with what it extends, at any depth, where it says nothing itself.

    Args:
        document: read, not yet changed.
        below: the files that led to it, it included.

    Raises:
        SuiteError: what it extends is not a file, cannot be read, or extends it again; names file and line.
    """
    if EXTENDS not in document.content:
        return document
    origin = document.origin_of((EXTENDS,))
    path = base_file(document.content[EXTENDS], origin.folder or Path(), f"{origin}: {EXTENDS}:")
    if any(os.path.realpath(path) == os.path.realpath(other) for other in below):
        chain = " -> ".join(str(one) for one in (*below, path))
        raise SuiteError(
            f"{origin}: {EXTENDS}: goes round in a circle ({chain}); one of them must extend none"
        )
    named = document.content[EXTENDS]
    written = as_written(named.text if isinstance(named, Scalar) else named, origin.written)
    document.drop((EXTENDS,))
    base = Document.from_yaml(read_text(path), str(path), document.origin.rank + 1, written)
    document.extend(with_bases(base, (*below, path)))
    return document


def as_written(text: str, below: str) -> str:
    """Return the folder of a base as its suites say it, below that of the suite that extends it.

    >>> as_written("${SHOP}/base.yaml", "../suites"), as_written("more/base.yaml", "${SHOP}")
    ('${SHOP}', '${SHOP}/more')
    """
    folder = str(Path(text).parent)
    is_whole = text.startswith(("~", "${", "/"))
    return folder if is_whole or not below else str(Path(below) / folder)


def base_file(named: Any, folder: Path, where: str) -> Path:
    """Return the file that a suite extends.

    Args:
        named: what the key says.
        folder: of the file that says it.
        where: how a complaint begins.

    Raises:
        SuiteError: there is no such file.
    """
    text = named.text if isinstance(named, Scalar) else named
    if not isinstance(text, str) or not text.strip():
        raise SuiteError(f"{where} must be the path of one suite file, such as base.yaml")
    if "://" in text:
        raise SuiteError(
            f"{where} must be a file on this machine (found {text!r}): fetch it and name the file"
        )
    try:
        path = folder / Path(expanded(text)).expanduser()
    except (ValueError, RuntimeError) as error:
        raise SuiteError(f"{where} {error}") from error
    if os.path.isfile(path):  # noqa: PTH113 - false, not an error, for a name that no file can have
        shorter = os.path.normpath(path)  # another file where a folder on the way is a link
        return Path(shorter) if os.path.realpath(shorter) == os.path.realpath(path) else path
    if os.path.isdir(path):  # noqa: PTH112 - the same
        raise SuiteError(f"{where} {path} is a folder; give the path of a suite file")
    beside = [one.name for one in path.parent.glob("*.yaml")] if len(text) < 256 else []
    raise SuiteError(
        f"{where} there is no file {path}{did_you_mean(path.name, beside)}; the path is relative to the file "
        "that says it"
    )
