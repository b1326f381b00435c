"""What results rest on besides the suite: files and graphs by content, adapters by code and libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file that a split was made from, as it was then.

    Attributes:
        role: "log", "train", "valid", "test", "items", "users", "candidates", or its name in a publisher's
            folder.
        path: where it was.
        sha256: of its bytes.
        size: bytes.
        modified: when it was last written, in ISO 8601.
        state: a text that changes whenever the file is touched; empty where it was touched too lately for
            that to be certain.
    """

    role: str
    path: str
    sha256: str
    size: int
    modified: str
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class AdapterCode:
    """The code of an adapter: what it is and what it calls.

    Attributes:
        source_sha256: of all modules that are part of it.
        versions: of the libraries that it wraps.
        package: the distribution of others that publishes it, "name==version"; None for our own.
        packages: the distribution that each of those libraries is part of, "name==version", by module;
            empty in runs of before.
    """

    source_sha256: str
    versions: Mapping[str, str]
    package: str | None = None
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class GraphSummary:
    """The knowledge graph stored with a split.

    Attributes:
        source: the file of its triples, or "from_items".
        triples: T.
        entities: E, the items included.
        relations: R.
        items: how many items have a triple.
        sha256: content hash of the triples in dense ids, and of the relations' names.
    """

    source: str
    triples: int
    entities: int
    relations: int
    items: int
    sha256: str
