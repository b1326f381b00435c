"""What a log will have besides its pairs, as far as its spec and its publisher tell: for plans."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.datasets.log import GENRES
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.open_log import LogFiles, locate, require_tables
from benchmark.datasets.sources.table_roles import roles_of
from benchmark.datasets.specs import FilesSpec, LogSpec, PrepareSpec


@dataclass(frozen=True)
class ExpectedLog:
    """What decides which models apply to a log.

    Attributes:
        rated: whether its values are ratings on a known scale.
        described: which of "users" and "items" have features, and "graph" where there is one.
        defaults: how it is prepared where the suite does not say; None if that is as ever.
    """

    rated: bool
    described: tuple[str, ...]
    defaults: PrepareSpec | None = None


def expected_log(spec: LogSpec, folders: DataFolders, parts: FilesSpec | None = None) -> ExpectedLog:
    """Return what a log will have; of files no more than a first line is read.

    A publisher's folder is expected to be complete, and a known data set to be available: no stand-in.

    Raises:
        SourceError: the log has neither a path nor a known name.
        DataError: the path is a folder in no known layout, or a table that the suite names is missing.
    """
    require_tables(spec, folders)
    files = locate(spec, folders, parts)
    generated = bool(spec.synthetic and not spec.synthetic.repeats)
    typed = any(path.suffix == ".inter" for path in files.paths)  # its header may name a rating
    published = files.layout is not None and files.layout.log.value is not None
    has_values = bool(generated or published or spec.value or typed)
    has_scale = bool(generated or spec.scale or (files.known and files.known.scale))
    defaults = files.layout.defaults() if files.layout else None
    has_graph = spec.graph != "none" and bool(
        spec.graph or (files.layout and files.layout.has_graph(files.folder))
    )
    described = (*described_sides(spec, files), *(("graph",) if has_graph else ()))
    return ExpectedLog(has_values and has_scale, described, defaults)


def described_sides(spec: LogSpec, files: LogFiles) -> tuple[str, ...]:
    """Return which of "users" and "items" models are shown features of; titles are features of items."""
    users, items = files.roles("user"), GENRES if spec.synthetic else files.roles("item")
    has_titles = bool(spec.synthetic or (files.layout and files.layout.has_titles(files.folder)))
    if spec.users:
        users = roles_of(spec.users)
    if spec.item_table:
        items, has_titles = roles_of(spec.item_table), bool(spec.item_table.title)
    if spec.features is False:
        return ()
    chosen = {*users, *items} if spec.features is True else set(spec.features)
    sides = {"users": bool(chosen & set(users)), "items": has_titles or bool(chosen & set(items))}
    return tuple(side for side, is_described in sides.items() if is_described)
