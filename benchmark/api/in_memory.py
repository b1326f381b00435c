"""Frames as data sets: what is said of one as the suite that it means, its rows stored beside its runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypedDict

from benchmark.api.suites import check
from benchmark.datasets.tables.frames import Frame, as_arrow, store_frame
from benchmark.errors import DataError, SuiteError

if TYPE_CHECKING:
    from benchmark.api.suites import SuiteSource
    from benchmark.datasets.specs import LogSpec
    from benchmark.suite import Suite
    from benchmark.suite.assignments import Assignments

NamedModel: TypeAlias = "str | Mapping[str, object]"
"""A model as a suite names it: by its adapter, or by a mapping."""
FrameTable: TypeAlias = "Frame | Mapping[str, object]"
"""A table beside the log, as a suite names it, in which a frame may stand for ``path``."""

FRAMES = "frames"
"""The folder of stored frames: beside the runs of a name, or in the run whose folder was named."""
NAME = "frame"
"""What a frame without a name is called, and its runs."""
FILE_KEYS = frozenset({"path", "synthetic", "columns", "layout"})
"""The keys of a data set's entry that say where rows are, and how they are written."""


class FrameKeys(TypedDict, total=False):
    """Keys of a data set's entry that may accompany a frame, as a suite takes them."""

    name: str
    scale: Sequence[float]
    positive: str | Sequence[str]
    negative: str | Sequence[str]
    weight: str | Mapping[str, float]
    rows: str
    pairs: str
    seen: str
    ids: str
    time_unit: str
    time_format: str
    timezone: str
    missing_values: Sequence[str]
    titles: FrameTable
    items: FrameTable
    users: FrameTable
    features: bool | Sequence[str]
    graph: FrameTable | str
    separator: str
    encoding: str
    decimal: str
    quoted: bool
    multiline: bool
    comment: str


class Place(NamedTuple):
    """Where frames are stored, and how the suite of their run names them.

    Attributes:
        folder: of the files.
        base: where paths of the suite start.
        prefix: of their names in the suite; means the same from ``base`` and from the run.
    """

    folder: Path
    base: Path
    prefix: str

    @classmethod
    def beside_runs(cls, runs: Path) -> Place:
        """Return the place that all runs in a folder share."""
        return cls(runs / FRAMES, runs / FRAMES, f"../{FRAMES}/")

    @classmethod
    def within(cls, run: Path) -> Place:
        """Return the place in a run of its own."""
        return cls(run / FRAMES, run, f"{FRAMES}/")


@dataclass(frozen=True)
class FramedSuite:
    """A frame and what is said of it.

    Attributes:
        frame: the log.
        entry: keys of the data set's entry.
        rest: keys of a suite, without data sets.
        only: names of the models that are chosen from it; None for all.
    """

    frame: Frame
    entry: Mapping[str, object]
    rest: Mapping[str, object]
    only: Sequence[str] | None = None

    @classmethod
    def of(
        cls,
        frame: Frame,
        entry: Mapping[str, object],
        rest: object,
        models: Sequence[NamedModel] | None,
    ) -> FramedSuite:
        """Return a frame with what is said of it.

        Args:
            frame: the log.
            entry: keys of the data set's entry; those that are None are not said.
            rest: the other keys of a suite.
            models: those to compare, where the suite names none.

        Raises:
            SuiteError: the rest is not a mapping, or a key has no place beside a frame.
        """
        given = {} if rest is None else rest
        if not isinstance(given, Mapping):
            raise SuiteError(
                f"suite: is {given!r}; beside a frame it must be a mapping with keys of a suite, such as "
                '{"split": {"by": "global_time"}}'
            )
        if "datasets" in given:
            raise SuiteError("suite: datasets: the frame is the data set; leave it out, or give no frame")
        said = {key: value for key, value in entry.items() if value is not None}
        if misplaced := sorted(FILE_KEYS & said.keys()):
            raise SuiteError(f"{misplaced[0]}: is for files; beside a frame leave it out")
        own: dict[str, object] = {"name": NAME, **said}
        whole = {"name": own["name"], **given}
        only = None if models is None or "models" not in given else [*map(str, models)]
        if models is not None and only is None:
            whole["models"] = [*models]
        if not whole.get("models"):
            raise SuiteError(
                'models: name the models to compare, as in models=["baselines/popularity", "native/ease"]; '
                "benchmark.models() lists them"
            )
        return cls(frame, own, whole, only)

    def content(self, path_of: Callable[[Frame, str], str]) -> dict[str, object]:
        """Return the keys of the suite, every frame by its path.

        Args:
            path_of: returns the path for a frame, given its role: log, items, users, titles, graph or link.
        """
        entry: dict[str, object] = {**self.entry, "path": path_of(self.frame, "log")}
        for role in ("titles", "items", "users", "graph"):
            if role in entry:
                entry[role] = _with_paths(entry[role], role, path_of)
        return {**self.rest, "datasets": [entry]}

    def stored(self, place: Place, spec: LogSpec) -> dict[str, object]:
        """Return the keys of the suite, every frame stored.

        Args:
            place: for the frames.
            spec: what the entry means: which columns are read.

        Raises:
            DataError: a column is missing, or cannot be stored.
            RunError: a frame cannot be written.
        """

        def path_of(frame: Frame, role: str) -> str:
            wanted = columns_read(spec) if role == "log" else None
            return place.prefix + store_frame(as_arrow(frame, wanted, _called(role)), place.folder, role).name

        return self.content(path_of)


def suite_and_base(
    source: SuiteSource | Frame | None,
    rest: SuiteSource | None,
    entry: Mapping[str, object],
    models: Sequence[NamedModel] | None,
    *,
    place: Callable[[str], Place],
    budget: str | float | None = None,
    seeds: int | None = None,
    set: Assignments = (),
    say: Callable[[str], None] | None = None,
) -> tuple[Suite, Path]:
    """Return the suite that a call means, and the folder that its paths start from; frames are stored.

    Args:
        source: a suite, or a frame.
        rest: beside a frame the other keys of a suite; in place of ``source``, the suite.
        entry: beside a frame, keys of the data set's entry.
        models: only these of the suite; beside a frame, those to compare.
        place: returns where frames are stored for a suite of this name.
        budget: device-seconds per model, in place of the suite's.
        seeds: refits of each stochastic model, in place of the suite's.
        set: single keys of the suite, as in :func:`benchmark.api.check`.
        say: as in :func:`benchmark.api.check`.

    Raises:
        SuiteError: it is neither a suite nor a frame, or says what has no place.
        DataError: a frame lacks a column, or cannot be stored.
    """
    if isinstance(models, str):
        raise SuiteError(f"models: must be a list, as in models=[{models!r}]")
    if isinstance(source, Frame):
        framed = FramedSuite.of(source, entry, rest, models)
        planned = check(
            framed.content(lambda *_: "frame.parquet"),
            budget=budget,
            models=framed.only,
            seeds=seeds,
            set=set,
        )
        where = place(planned.name)
        content = framed.stored(where, planned.datasets[0])
        return check(content, budget=budget, models=framed.only, seeds=seeds, set=set, say=say), where.base
    suite = rest if source is None else source
    if source is not None and rest is not None:
        raise SuiteError("suite: is for the keys beside a frame; give either a suite or a frame")
    if said := [key for key, value in entry.items() if value is not None]:
        raise SuiteError(
            f"{said[0]}: is a key of a data set's entry; give it beside a frame, or in the suite"
        )
    names = None if models is None else [name for name in models if isinstance(name, str)]
    if models is not None and names != [*models]:
        raise SuiteError("models: of a suite are chosen by their names; change one in the suite itself")
    if suite is None:
        raise SuiteError("suite: give the path or name of a suite, a mapping, or a frame")
    ready = check(suite, budget=budget, models=names, seeds=seeds, set=set, say=say)
    return ready, ready.folder


@contextmanager
def called_frame(base: Path) -> Iterator[None]:
    """Call stored frames by what the user knows them by, in complaints about data.

    Args:
        base: where paths of the suite start.
    """
    try:
        yield
    except DataError as error:
        stored = rf"{re.escape(str(base))}/(?:\.\./)?{FRAMES}/(\w+)-[0-9a-f]{{16}}\.parquet"
        text = re.sub(stored, lambda found: _called(found[1]), str(error))
        if text == str(error):
            raise
        raise type(error)(text) from error


def columns_read(spec: LogSpec) -> list[str]:
    """Return the columns of a log that anything asks for, each once."""
    from benchmark.datasets.specs.row_filter import comparisons, parse_rows

    named = [spec.user, spec.item, spec.value, spec.time]
    named += [spec.weight] if isinstance(spec.weight, str) else []
    named += [one.column for one in comparisons(parse_rows(spec.rows))] if spec.rows else []
    return [name for name in dict.fromkeys(named) if name is not None]


def _called(role: str) -> str:
    """Return what a frame is called in complaints."""
    return "frame" if role == "log" else f"frame of {role}"


def _with_paths(table: object, role: str, path_of: Callable[[Frame, str], str]) -> object:
    """Return a table of an entry, every frame in it by its path."""
    if isinstance(table, Frame):
        return {"path": path_of(table, role)}
    if not isinstance(table, Mapping):
        return table
    paths = {key: path_of(value, role) for key, value in table.items() if isinstance(value, Frame)}
    links = {
        key: _with_paths(table[key], key, path_of) for key in ("link",) if isinstance(table.get(key), Mapping)
    }
    return {**table, **paths, **links}
