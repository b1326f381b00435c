"""Lists made elsewhere: export_split, score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.api.data_split import DataSplit, lists_table
from benchmark.api.in_memory import FRAMES
from benchmark.api.running import Run
from benchmark.datasets.tables.frames import Frame, store_frame
from benchmark.errors import DataError

if TYPE_CHECKING:
    from benchmark.api.suites import StrPath
    from benchmark.datasets.log import Part
    from benchmark.runner import Watcher


def export_split(run: StrPath, folder: StrPath, *, dataset: str | None = None) -> Path:
    """Write train and validation of a run, never test, in the publisher's ids; return the folder.

    Beside them are all users and items, and a README that says what may be recommended to whom, how long
    lists must be and how they are scored.

    Args:
        run: the directory of a run.
        folder: that is made, or is empty.
        dataset: which one, where the run has several.

    Raises:
        RunError: there is no run, it has no such data set, or the folder is not empty.
    """
    from benchmark.handout import write_handout
    from benchmark.results import RunDirectory
    from benchmark.runner.added_lists import split_of

    directory = RunDirectory.existing(Path(run))
    data = split_of(directory, directory.manifest(), dataset)
    write_handout(data.directory, directory.suite(), data.manifest, Path(folder), directory.path)
    return Path(folder)


def score(
    run: StrPath,
    lists: StrPath | Frame,
    *,
    name: str | None = None,
    valid: StrPath | Frame | None = None,
    dataset: str | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Add lists made elsewhere to a finished run, as a row of its board; nothing is refitted.

    Each call opens test: the board shows how many there were, and the correction for many tests on its
    split counts each.

    Args:
        run: the directory of a finished run.
        lists: file or frame with the lists for test: a table with user, item and rank or score.
        name: of the row; that of the file by default, "lists" for a frame.
        valid: file or frame with lists for validation, if there are any.
        dataset: which one they are for, where the run has several.
        watcher: hears what was made of the files, and what was found.

    Raises:
        DataError: a file cannot be used: an item is unknown, hidden from its user, or twice in a list; lists
            are too short.
        RunError: the run is not finished, another process holds it, or it has such a row already.
    """
    from benchmark.reporting import write_all
    from benchmark.results import RunDirectory
    from benchmark.runner.added_lists import add_lists, split_of

    directory = RunDirectory.existing(Path(run))
    given: dict[Part, StrPath | Frame] = {"test": lists, **({} if valid is None else {"valid": valid})}
    frames = {part: one for part, one in given.items() if isinstance(one, Frame)}
    paths: dict[Part, Path] = {part: Path(one) for part, one in given.items() if not isinstance(one, Frame)}
    if frames:
        data = split_of(directory, directory.manifest(), dataset)
        names = DataSplit(directory.suite(), data, run=directory.path).names
        for part, frame in frames.items():
            paths[part] = store_frame(lists_table(frame, names), directory.path / FRAMES, "lists")
    own = "lists" if isinstance(lists, Frame) else paths["test"].stem
    try:
        add_lists(directory, paths, own if name is None else name, dataset, watcher)
    except DataError as error:
        said = str(error)
        for part in frames:
            said = said.replace(str(paths[part]), "lists" if part == "test" else "valid")
            paths[part].unlink(missing_ok=True)
        raise DataError(said) from error
    finished = Run(directory.path)
    write_all(finished.board, finished.path)
    return finished
