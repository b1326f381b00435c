"""NCF's own test file: written here as He's program reads it, scored beside his evaluation."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from benchmark import runner
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.source_files import source_paths
from benchmark.datasets.store.parts import load_parts
from benchmark.errors import DataError, SuiteError
from benchmark.ledger import select
from benchmark.records import FinalRecord
from benchmark.registry import Registry
from benchmark.runner import RunOptions
from benchmark.runner.splits import StoredSplit, store_all
from benchmark.suite import Suite

Make = Callable[..., Suite]

USERS, ITEMS, DRAWN = 50, 60, 20
NAMES = {"train": "x.train.rating", "test": "x.test.rating", "negatives": "x.test.negative"}
HIT, NDCG = f"hit@5/{DRAWN}neg", f"ndcg@5/{DRAWN}neg"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The three files of the program: user, item, rating, time; the last row of each user is test."""
    generator, popularity = np.random.default_rng(5), np.arange(100, 100 - ITEMS, -1)
    train, test, negatives = [], [], []
    for user in range(USERS):
        items = generator.choice(ITEMS, 12, replace=False, p=popularity / popularity.sum())
        rows = [f"{user}\t{item}\t{item % 5 + 1}\t{1000 + place}" for place, item in enumerate(items)]
        train += rows[:-1]
        test.append(rows[-1])
        drawn = generator.choice(np.setdiff1d(np.arange(ITEMS), items), DRAWN, replace=False)
        negatives.append("\t".join([f"({user},{items[-1]})", *map(str, drawn)]))
    for name, lines in zip(NAMES.values(), (train, test, negatives), strict=True):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def ncf(suite: Make, files: Path) -> Make:
    """Make a suite of these files; changes as for ``suite``."""

    def make(**changes: Any) -> Suite:
        data = {"name": "x", "columns": ["user", "item", "rating", "time"], "value": "rating", "time": "time"}
        parts = {part: str(files / name) for part, name in NAMES.items()}
        given = {
            "datasets": [data],
            "prepare": {"positive": "> 0"},
            "split": {"by": "files", "files": parts},
            "metrics": {"primary": "ndcg@5", "also": [HIT, NDCG]},
            "models": ["fake/fixed"],
        }
        return suite(**given | changes)

    return make


def stored(made: Suite, folder: Path) -> StoredSplit:
    (found,) = store_all(made, folder, None, Path(), lambda _: None)
    return found


def evaluated(folder: Path, scores: np.ndarray) -> Iterator[tuple[int, float]]:
    """Yield what He's evaluate.py makes of each test row: hit and NDCG at 5."""
    rows = [line.split("\t") for line in (folder / NAMES["test"]).read_text().splitlines()]
    lists = [line.split("\t")[1:] for line in (folder / NAMES["negatives"]).read_text().splitlines()]
    for (_, wanted, *_), others in zip(rows, lists, strict=True):
        score_of = {int(item): scores[int(item)] for item in [*others, wanted]}
        best = heapq.nlargest(5, score_of, key=score_of.get)
        hit = int(wanted) in best
        yield int(hit), math.log(2) / math.log(best.index(int(wanted)) + 2) if hit else 0.0


def test_stored_negatives_give_the_hits_and_ndcg_of_the_reference_program(
    ncf: Make, fakes: Registry, files: Path, tmp_path: Path
) -> None:
    place = runner.run(ncf(finals={"seeds": 1, "train_on": "train"}), fakes, RunOptions(out=tmp_path / "run"))
    (final,) = select(place.records(), FinalRecord)
    scores = load_file(place / str(final.scores.state_path))["scores"]
    items = pd.read_parquet(place / "splits" / "x" / "items.parquet")["id"]
    assert items.tolist() == list(range(ITEMS))  # dense ids are the publisher's
    expected = np.array([*evaluated(files, scores)])
    values = pd.read_parquet(place / "per_user.parquet")
    assert 0 < expected[:, 0].mean() < 1
    np.testing.assert_array_equal(values[HIT], expected[:, 0])
    np.testing.assert_allclose(values[NDCG], expected[:, 1], rtol=1e-12)


def test_without_a_file_for_it_validation_is_the_last_training_row_and_draws_its_own(
    ncf: Make, files: Path, tmp_path: Path
) -> None:
    data = stored(ncf(), tmp_path / "run")
    train, valid, test = (load_parts(data.directory, part) for part in ("train", "valid", "test"))
    assert (len(train), len(valid), len(test)) == (10 * USERS, USERS, USERS)
    assert (train.times.max(), set(valid.times.tolist()), set(test.times.tolist())) == (1009, {1010}, {1011})
    drawn = {part: np.load(data.directory / f"negatives-{part}.npy") for part in ("valid", "test")}
    given = [line.split("\t")[1:] for line in (files / NAMES["negatives"]).read_text().splitlines()]
    assert drawn["test"].tolist() == [sorted(map(int, line)) for line in given]
    assert drawn["valid"].shape == (USERS, DRAWN)
    assert not (drawn["valid"] == drawn["test"]).all(axis=1).any()
    # A trial process maps validation's alone: what is never drawn would tell the test row.
    assert any(item in row for item, row in zip(test.items, drawn["valid"], strict=True))


def test_negatives_are_part_of_what_results_rest_on(ncf: Make, files: Path, tmp_path: Path) -> None:
    made = ncf()
    first = stored(made, tmp_path / "a")
    paths = source_paths(made.datasets[0], DataFolders(), made.split.files)
    assert [*paths] == ["train", "test", "negatives"]
    assert [file.role for file in first.manifest.files] == [*paths]
    path = files / NAMES["negatives"]
    lines = path.read_text().splitlines()
    head, one, other, *rest = lines[0].split("\t")
    path.write_text("\n".join(["\t".join([head, other, one, *rest]), *lines[1:]]) + "\n")
    assert stored(made, tmp_path / "b").key_inputs == first.key_inputs  # the order in a line means nothing
    path.write_text("\n".join(["\t".join([head, one, one, *rest]), *lines[1:]]) + "\n")
    twice = stored(made, tmp_path / "c")
    assert twice.hash == first.hash
    assert twice.key_inputs["negatives_sha256"] != first.key_inputs["negatives_sha256"]
    assert f"{path.name}: 1 negatives come twice in their line and count once" in twice.manifest.reading_notes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda lines: lines[1:],
            r"x.test.negative: no line of user 0, who has a row in test \(1 such users",
        ),
        (lambda lines: [*lines, lines[3]], rf"x.test.negative:{USERS + 1}: a second line of user 3"),
        (
            lambda lines: ["(0,59)" + lines[0][lines[0].index("\t") :], *lines[1:]],
            r":1: \(0,59\) is no row of test",
        ),
        (
            lambda lines: [lines[0].replace("(", "", 1), *lines[1:]],
            r"x.test.negative:1: begins with '0,",
        ),
        (lambda lines: [lines[0] + "\t7", *lines[1:]], r"x.test.negative:2: .*same number of columns"),
        (
            lambda lines: [lines[0].rpartition("\t")[0] + "\t999", *lines[1:]],
            r":1: the negative '999' is no item",
        ),
        (
            lambda lines: [
                lines[0].rpartition("\t")[0] + "\t" + lines[0][3 : lines[0].index(")")],
                *lines[1:],
            ],
            r":1: the negative '\d+' is a test row of this user",
        ),
    ],
)
def test_file_of_negatives_that_does_not_fit_is_refused_with_the_line(
    ncf: Make, files: Path, tmp_path: Path, change: Callable[[list[str]], list[str]], words: str
) -> None:
    path = files / NAMES["negatives"]
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(DataError, match=words):
        stored(ncf(), tmp_path / "run")


def test_metrics_must_rank_among_as_many_negatives_as_there_are(ncf: Make, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"split.files.negatives: no metric ranks among them"):
        ncf(metrics={"primary": "ndcg@5", "also": ["recall@5"]})
    with pytest.raises(DataError, match=r"negatives has 20 a user, and metrics name 9; write hit@10/20neg"):
        stored(ncf(metrics={"primary": "ndcg@5", "also": ["hit@5/9neg"]}), tmp_path / "run")
