"""Open the log that a suite names: locate its files, read them, add the suite's own tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.datasets.log import Log, Part, Roles, Say, Side, SideTable, hash_files, silent
from benchmark.datasets.sources.download import fetch
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.known import KNOWN, find_known, find_layout
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.published import YOUR_OWN, folder_log, published_log
from benchmark.datasets.sources.synthetic import stand_in_log, synthetic_log
from benchmark.datasets.sources.table_roles import roles_of
from benchmark.datasets.specs import FilesSpec, GraphSpec, LogSpec, TableSpec
from benchmark.datasets.tables.parse import Notation
from benchmark.datasets.tables.raw_file import names_beside, require_file
from benchmark.datasets.tables.read import clock_of, read_log, read_parts, read_table
from benchmark.datasets.tables.table_file import part_files
from benchmark.datasets.tables.text_format import TextFormat
from benchmark.datasets.tables.timestamps import say_span
from benchmark.datasets.tables.triples import read_triples, triples_of_items
from benchmark.errors import DataError, SourceError, did_you_mean
from benchmark.records import Provenance, TableName


@dataclass(frozen=True)
class LogFiles:
    """Where the rows of a log are on this machine.

    Attributes:
        paths: the log, or its parts, or everything that is read of a publisher's folder.
        parts: which part each path is; none for a whole log.
        folder: the publisher's folder; None for files, for generated logs, and if it is not here.
        layout: of that folder; None without one.
        known: the data set, if the suite's name for the log is known and the layout is its.
    """

    paths: tuple[Path, ...] = ()
    parts: tuple[Part, ...] = ()
    folder: Path | None = None
    layout: Layout | None = None
    known: KnownDataset | None = None

    def roles(self, side: Side) -> Roles:
        """Return the roles of the columns that a publisher gives items or users; none without a layout."""
        return self.layout.roles(side, self.folder) if self.layout else {}


def locate(
    spec: LogSpec, folders: DataFolders, parts: FilesSpec | None = None, say: Say = silent
) -> LogFiles:
    """Return where the rows of a log are; no file is read.

    Raises:
        SourceError: the log has neither a path nor a known name.
        DataError: the path is a folder in no known layout.
    """
    if spec.synthetic:
        return LogFiles()
    if parts:
        return LogFiles(tuple(map(folders.resolve, parts.parts.values())), tuple(parts.parts))
    if not spec.path:
        known = find_known(spec.name)
        folder = folders.find(known, say)
        paths = known.layout.files(folder) if folder else []
        return LogFiles(tuple(paths), (), folder, known.layout, known)
    path = folders.resolve(spec.path)
    if not path.is_dir():
        return LogFiles((path,))
    try:
        layout, namesake = find_layout(path), KNOWN.get(spec.name)
    except DataError:
        if part_files(path):
            return LogFiles((path,))
        raise
    is_namesake = namesake is not None and namesake.layout is layout
    return LogFiles(tuple(layout.files(path)), (), path, layout, namesake if is_namesake else None)


def open_log(
    spec: LogSpec,
    folders: DataFolders | None = None,
    *,
    parts: FilesSpec | None = None,
    stand_in: bool = False,
    say: Say = silent,
) -> Log:
    """Return the log that ``spec`` names.

    Args:
        spec: which log.
        folders: where it is looked for; without, paths start in the working directory.
        parts: the files of a split of your own; the log is then their rows together.
        stand_in: if a known data set cannot be obtained, return a generated log of the same shape, labelled
            so in its name, licence and origin.
        say: takes one line of progress.

    Raises:
        SourceError: the name is unknown, or the data set cannot be obtained.
        DataError: a file is not what the spec says.
    """
    folders = folders or DataFolders()
    require_tables(spec, folders)
    files = locate(spec, folders, parts, say)
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        say(text)

    if spec.synthetic:
        log = weighed_by_value(synthetic_log(spec.synthetic, name=spec.name), spec)
    elif files.known:
        try:
            folder = files.folder or fetch(files.known, folders.cache, say)
            log = published_log(files.known, folder, spec, note)
        except SourceError as error:
            if spec.path or not stand_in:
                raise
            say(f"{error}\n  {files.known.name}: replaced by a synthetic stand-in of the same shape")
            log = weighed_by_value(stand_in_log(files.known), spec)
    elif files.folder and files.layout:
        log = folder_log(spec.name, files.folder, files.layout, spec, note)
    else:
        log = own_log(spec, files, folders, note)
    log = with_graph(with_own_tables(log, spec, folders, note), spec, folders, note)
    log = with_chosen_features(log, spec)
    return replace(log, notes=(*log.notes, *notes), weight=weight_as_written(spec))


def weight_as_written(spec: LogSpec) -> str | None:
    """Return where the weights come from as a suite writes it; None without weights."""
    if not isinstance(spec.weight, dict):
        return spec.weight
    return "{" + ", ".join(f"{kind}: {weight:g}" for kind, weight in spec.weight.items()) + "}"


def weighed_by_value(log: Log, spec: LogSpec) -> Log:
    """Return a generated log, whose values are the only thing that can be weights."""
    if spec.weight is None:
        return log
    return replace(log, frame=log.frame.assign(weight=log.frame["value"]))


def table_files(spec: LogSpec, folders: DataFolders) -> list[SideTable]:
    """Return the tables that a suite names beside a log, that of the items first."""
    named: list[tuple[TableName, TableSpec | None]] = [
        ("titles" if spec.titles else "items", spec.item_table),
        ("users", spec.users),
    ]
    return [SideTable(folders.resolve(table.path), table, key, spec) for key, table in named if table]


def require_tables(spec: LogSpec, folders: DataFolders) -> None:
    """Check that every table that a suite names is there and can be read, before anything is.

    Raises:
        DataError: one is not.
    """
    for table in table_files(spec, folders):
        if not table.path.exists():
            raise DataError(
                f"{spec.name}: {table.key}: {table.path}: no such file"
                f"{did_you_mean(table.path.name, names_beside(table.path))}; path is looked up from "
                f"{folders.suite.resolve()} and from {Path.cwd()}: correct it, or leave {table.key} out"
            )
        if not table.path.is_dir():
            require_file(table.path, f"{spec.name}: {table.key}")
    for role, path in graph_files(spec, folders).items():
        if not path.exists():
            key = "graph" if role == "graph" else "graph.link"
            raise DataError(
                f"{spec.name}: {key}: {path}: no such file{did_you_mean(path.name, names_beside(path))}; "
                f"path is looked up from {folders.suite.resolve()} and from {Path.cwd()}: correct it, or "
                f"leave {key} out"
            )


def graph_files(spec: LogSpec, folders: DataFolders) -> dict[str, Path]:
    """Return the files of the graph that a suite names, by their roles "graph" and "link"."""
    if not isinstance(spec.graph, GraphSpec):
        return {}
    named = {"graph": spec.graph.path, **({"link": spec.graph.link.path} if spec.graph.link else {})}
    return {role: folders.resolve(path) for role, path in named.items()}


def with_graph(log: Log, spec: LogSpec, folders: DataFolders, say: Say) -> Log:
    """Return the log with the knowledge graph that the spec names, which replaces a publisher's.

    Raises:
        DataError: a file of it is missing or not as the spec says; there is no table to make it from.
    """
    if spec.graph is None:
        return log
    if spec.graph == "none":
        return replace(log, graph=None)
    if isinstance(spec.graph, str):
        return replace(log, graph=triples_of_items(log.name, log.items, log.item_roles))
    files = graph_files(spec, folders)
    text_format, notation = TextFormat.of(spec), Notation.of(spec)
    graph = read_triples(files["graph"], spec.graph, files.get("link"), text_format, notation, say)
    return replace(log, graph=graph)


def own_log(spec: LogSpec, files: LogFiles, folders: DataFolders, say: Say) -> Log:
    """Return a log of the user's own, from one file or from the parts of a split.

    Raises:
        DataError: a file is missing, or is not what the spec says.
    """
    paths = files.paths
    for path in paths:
        if not files.parts and not path.exists():
            raise DataError(
                f"{spec.name}: {path}: no such file{did_you_mean(path.name, names_beside(path))}; "
                f"path is looked up from {folders.suite.resolve()} and from {Path.cwd()}"
            )
        if not path.is_dir():
            require_file(path, spec.name)
    require_tables(spec, folders)
    if files.parts:
        frame, origin = read_parts(paths, spec, say, files.parts), paths[0].parent
    else:
        frame, origin = read_log(paths[0], spec, say), paths[0]
    graphs = graph_files(spec, folders).values()
    provenance = Provenance(
        dataset=spec.name,
        origin=str(origin),
        licence=YOUR_OWN,
        synthetic=False,
        sha256=hash_files(members((*paths, *(table.path for table in table_files(spec, folders)), *graphs))),
        scale=spec.scale,
    )
    clock = clock_of(frame)
    if "time" in frame:
        say_span(spec.name, frame["time"], clock, say)
    return Log(provenance, frame, clock=clock)


def members(paths: Iterable[Path]) -> list[Path]:
    """Return the files behind paths: themselves, or the parts of folders."""
    return [file for path in paths for file in (part_files(path) if path.is_dir() else [path])]


def with_own_tables(log: Log, spec: LogSpec, folders: DataFolders, say: Say) -> Log:
    """Return the log with the tables that the spec names, which replace a publisher's.

    Raises:
        DataError: a table is missing, or is not what the spec says.
    """
    notation = Notation.of(spec)
    require_tables(spec, folders)
    for table in table_files(spec, folders):
        text_format = TextFormat.of(spec, table.spec)
        if table.key == "users":
            users = read_table(table.path, table.spec, "user", text_format, notation, say)
            log = replace(log, users=users, user_roles=roles_of(table.spec), user_file=table)
        else:
            items = read_table(table.path, table.spec, "item", text_format, notation, say)
            log = replace(log, items=items, item_roles=roles_of(table.spec), item_file=table)
    return log


def with_chosen_features(log: Log, spec: LogSpec) -> Log:
    """Return the log with the roles of those columns only that models may be shown.

    Raises:
        DataError: the spec names a column that the tables do not have.
    """
    if spec.features is True:
        return log
    if spec.features is False:
        return replace(log, item_roles=None, user_roles=None)
    users, items = log.user_roles or {}, log.item_roles or {}
    offered = {**users, **items}
    for name in spec.features:
        if name not in offered and not log.provenance.synthetic:
            raise DataError(
                f"{log.name}: features names {name!r}{did_you_mean(name, offered)}; its tables have "
                f"{', '.join(offered) or 'no features'}: name columns that are there"
            )
    chosen_users, chosen_items = (
        {column: role for column, role in all_roles.items() if column in spec.features}
        for all_roles in (users, items)
    )
    return replace(log, user_roles=chosen_users, item_roles=chosen_items)
