"""A split on disk."""

from __future__ import annotations

import errno
import mmap
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.datasets.audit.split_audit import audit
from benchmark.datasets.manifest import Overlap
from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import PrepareSpec, SplitSpec
from benchmark.datasets.split import split
from benchmark.datasets.store.columns import check_columns
from benchmark.datasets.store.parts import load_parts
from benchmark.datasets.store.save import load_manifest, save_split
from benchmark.errors import DataError

PARTS = ("train", "valid", "test")
RULES = [
    SplitSpec(by=by)
    for by in (
        "random",
        "leave_last_out",
        "leave_n_out",
        "user_time",
        "global_time",
        "rolling_time",
        "k_fold",
        "cold_user",
        "cold_item",
    )
]


@pytest.fixture
def done():
    return split(prepare(synthetic_log(users=20, items=30, interactions=250)))


def audited(done, directory):
    """The split stored with its audit, as whoever makes splits stores it."""
    return save_split(done, directory, audit(done))


def owner(array):
    """What holds the memory of an array."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array


def same(one, two):
    columns = ("users", "items", "values", "times", "positive")
    arrays = all(np.array_equal(getattr(one, name), getattr(two, name)) for name in columns)
    return arrays and (one.n_users, one.n_items, one.scale) == (two.n_users, two.n_items, two.scale)


def test_stored_parts_come_back_as_they_were(done, tmp_path):
    audited(done, tmp_path / "split")
    assert all(same(load_parts(tmp_path / "split", part), getattr(done, part)) for part in PARTS)


def test_stored_parts_keep_the_unit_of_their_times(done, tmp_path):
    train = replace(done.train, time_unit="ms")
    audited(replace(done, train=train), tmp_path / "split")
    assert load_parts(tmp_path / "split", "train").time_unit == "ms"


def test_stored_part_without_times_and_scale_comes_back_without(done, tmp_path):
    bare = replace(done.train, times=np.empty(0, dtype=np.int64), scale=None)
    audited(replace(done, train=bare), tmp_path / "split")
    assert same(load_parts(tmp_path / "split", "train"), bare)


def test_stored_part_that_is_loaded_outlives_its_folder(done, tmp_path):
    audited(done, tmp_path / "split")
    train = load_parts(tmp_path / "split", "train")
    shutil.rmtree(tmp_path / "split")
    assert same(train, done.train)
    assert same(train.positives(), done.train.positives())


def test_columns_of_a_stored_part_are_mapped_files_without_a_name_that_leads_to_the_run(done, tmp_path):
    audited(done, tmp_path / "run" / "split")
    rows = load_parts(tmp_path / "run" / "split", "train", "valid")
    columns = [getattr(log, name) for log in (rows, rows.positives()) for name in ("users", "times")]
    assert all(isinstance(owner(column), mmap.mmap) for column in columns)
    assert not any(column.flags.writeable for column in columns)
    maps = Path("/proc/self/maps").read_text("utf-8")
    assert str(tmp_path / "run") not in maps
    assert f"{(tmp_path / 'run/split/train+valid/users.npy').stat().st_ino} " in maps
    assert [path.name for path in Path(tempfile.gettempdir()).glob(".*.npy")] == []


def test_part_on_another_file_system_than_temporary_files_is_mapped_all_the_same(done, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    audited(done, tmp_path / "split")
    monkeypatch.setattr("os.link", refuse)
    train = load_parts(tmp_path / "split", "train")
    assert isinstance(owner(train.users), mmap.mmap)
    assert same(train, done.train)


@pytest.mark.parametrize("positive", [">= 4", "> 0"])
def test_likes_of_a_stored_part_are_its_liked_rows_and_are_stored_once(tmp_path, positive):
    log = synthetic_log(users=20, items=30, interactions=250)
    done = split(prepare(log, PrepareSpec(positive=positive)))
    audited(done, tmp_path / "split")
    rows = load_parts(tmp_path / "split", "train", "valid")
    assert same(rows.positives(), rows.rows(rows.positive))
    all_liked = positive == "> 0"
    assert (tmp_path / "split" / "train+valid" / "liked").exists() is not all_liked
    assert not (tmp_path / "split" / "test" / "liked").exists()
    assert same(load_parts(tmp_path / "split", "test").positives(), done.test.positives())


def test_chosen_rows_of_a_stored_part_have_likes_of_their_own(done, tmp_path):
    audited(done, tmp_path / "split")
    rows = load_parts(tmp_path / "split", "train")
    assert same(rows.rows(rows.users < 3).positives(), rows.rows((rows.users < 3) & rows.positive))


def test_stored_split_has_no_test_rows_outside_the_test_file(done, tmp_path):
    audited(done, tmp_path / "split")
    pairs = {
        part: set(
            zip(
                *(getattr(load_parts(tmp_path / "split", part), c).tolist() for c in ("users", "items")),
                strict=True,
            )
        )
        for part in PARTS
    }
    assert not pairs["test"] & (pairs["train"] | pairs["valid"])
    assert sorted(path.name for path in (tmp_path / "split").iterdir()) == sorted(
        [
            *PARTS,
            "train+valid",
            "users.parquet",
            "items.parquet",
            "item_features",
            "checksums.json",
            "manifest.json",
        ]
    )


def test_stored_ids_and_titles_stand_in_the_order_of_dense_ids(done, tmp_path):
    audited(done, tmp_path / "split")
    items = pd.read_parquet(tmp_path / "split" / "items.parquet")
    users = pd.read_parquet(tmp_path / "split" / "users.parquet")
    assert users["id"].tolist() == list(range(1, 21))
    assert items["title"].iloc[4] == f"Planted item {items['id'].iloc[4]}"
    assert list(items) == ["id", "title", "genres"]


def test_stored_manifest_has_the_hash_the_rule_and_the_audit(done, tmp_path):
    written = audited(done, tmp_path / "split")
    read = load_manifest(tmp_path / "split")
    assert read == written == replace(done.manifest, audit=audit(done))
    assert read.audited.overlap == Overlap(train_valid=0, train_test=0, valid_test=0)


def test_hash_depends_on_the_content_alone(tmp_path):
    log = prepare(synthetic_log(users=20, items=30, interactions=250))
    other = prepare(synthetic_log(users=20, items=30, interactions=250, seed=1))
    hashes = [
        split(one, SplitSpec(seed=seed)).manifest.hash
        for one, seed in ((log, 1), (log, 1), (log, 2), (other, 1))
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_stored_split_replaces_an_older_one_and_leaves_no_scraps(done, tmp_path):
    audited(split(done.prepared, SplitSpec(seed=1)), tmp_path / "split")
    audited(done, tmp_path / "split")
    assert load_manifest(tmp_path / "split").hash == done.manifest.hash
    assert [path.name for path in tmp_path.iterdir()] == ["split"]


def test_failed_write_leaves_the_older_split_as_it_was(done, tmp_path, monkeypatch):
    audited(done, tmp_path / "split")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("benchmark.datasets.store.save.write_ids", full)
    with pytest.raises(DataError, match="No space left on device"):
        audited(split(done.prepared, SplitSpec(seed=1)), tmp_path / "split")
    assert load_manifest(tmp_path / "split").hash == done.manifest.hash
    assert [path.name for path in tmp_path.iterdir()] == ["split"]


def test_missing_part_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such part of a split"):
        load_parts(tmp_path, "train")


@pytest.mark.parametrize(
    ("name", "damage", "complaint"),
    [
        ("users", lambda path: path.write_bytes(path.read_bytes()[:-1]), "users.npy: damaged or missing"),
        ("users", lambda path: path.write_bytes(path.read_bytes()[:100]), "users.npy: damaged or missing"),
        ("users", lambda path: path.write_bytes(b""), "users.npy: damaged or missing"),
        ("times", Path.unlink, "times.npy: damaged or missing"),
        ("liked/items", Path.unlink, "liked/items.npy: damaged or missing"),
        (
            "items",
            lambda path: np.save(path, np.zeros(3, np.int32)),
            r"items.npy: damaged, its shape is \(3,\)",
        ),
        (
            "values",
            lambda path: np.save(path, np.array([{"a": 1}] * 10, dtype=object), allow_pickle=True),
            "Python objects",
        ),
    ],
)
def test_damaged_part_is_refused(tmp_path, name, damage, complaint):
    log = synthetic_log(users=20, items=30, interactions=250)
    audited(split(prepare(log, PrepareSpec(positive=">= 4"))), tmp_path / "split")
    damage(tmp_path / "split" / "train" / f"{name}.npy")
    with pytest.raises(DataError, match=complaint):
        load_parts(tmp_path / "split", "train")


@pytest.mark.parametrize("content", ["", "{}", '{"rows": "many"}'])
def test_part_whose_description_is_damaged_is_refused(done, tmp_path, content):
    audited(done, tmp_path / "split")
    (tmp_path / "split" / "train" / "part.json").write_text(content)
    with pytest.raises(DataError, match=r"part.json: damaged, or not of a part of a split"):
        load_parts(tmp_path / "split", "train")


def test_stored_arrays_are_checked_against_what_was_written(done, tmp_path):
    audited(done, tmp_path / "split")
    check_columns(tmp_path / "split")
    path = tmp_path / "split" / "train" / "items.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"train/items.npy: damaged, its checksum differs"):
        check_columns(tmp_path / "split")
    path.unlink()
    with pytest.raises(DataError, match=r"checksums.json: damaged or missing .*train/items.npy"):
        check_columns(tmp_path / "split")


def test_manifest_of_an_earlier_version_is_refused_in_one_line(done, tmp_path):
    audited(done, tmp_path / "split")
    path = tmp_path / "split" / "manifest.json"
    path.write_text('{"dataset": "planted", "hash": "0", "synthetic": true}')
    with pytest.raises(DataError) as caught:
        load_manifest(path.parent)
    assert str(caught.value) == f"{path}: was written by an earlier version of bench; make the split again"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.by)
def test_manifest_of_every_rule_comes_back_as_it_was(rule, tmp_path):
    log = prepare(synthetic_log(users=60, items=40, interactions=900))
    written = audited(split(log, rule), tmp_path / "split")
    assert load_manifest(tmp_path / "split") == written


def test_missing_manifest_is_refused(tmp_path):
    with pytest.raises(DataError, match="no readable manifest"):
        load_manifest(tmp_path)


def test_stored_train_and_valid_come_back_as_one_in_the_order_of_the_log(done, tmp_path):
    audited(done, tmp_path / "split")
    chosen = np.sort(np.concatenate([done.rows["train"], done.rows["valid"]]))
    both = load_parts(tmp_path / "split", "train", "valid")
    assert same(both, done.prepared.interactions.rows(chosen))


def test_dislikes_and_weights_come_back_and_take_no_room_where_there_are_none(tmp_path):
    log = synthetic_log(users=20, items=30, interactions=250)
    plain = split(prepare(log))
    save_split(plain, tmp_path / "plain", audit(plain))
    stored = {path.stem for path in (tmp_path / "plain" / "train").rglob("*.npy")}
    assert not {"negative", "weights"} & stored
    assert len(load_parts(tmp_path / "plain", "train").weights) == 0
    weighed = replace(log, frame=log.frame.assign(weight=log.frame["value"]), weight="value")
    marked = split(prepare(weighed, PrepareSpec(positive=">= 4", negative="<= 2")))
    manifest = save_split(marked, tmp_path / "marked", audit(marked))
    assert (load_manifest(tmp_path / "marked").negative, manifest.weight) == ("<= 2", "value")
    rows = load_parts(tmp_path / "marked", "train", "valid")
    assert rows.weights.tolist() == rows.values.tolist()  # noqa: PD011 (an array of ours)
    assert rows.negative.tolist() == (rows.weights <= 2).tolist()
    likes = rows.positives()
    assert (likes.weights.min(), likes.negative.any()) == (4, False)
