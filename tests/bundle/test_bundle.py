"""A bundle of a real small run: what it recommends, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Forgetful
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from adapters import ADAPTERS
from benchmark import api, bundle, cli, runner
from benchmark.bundle.export import export, without_folders
from benchmark.bundle.format import MANIFEST, OPTIONAL, REQUIRED, SUMS, write_sums
from benchmark.bundle.verify import verify
from benchmark.errors import AdapterError, BundleError, MissingLibrary
from benchmark.files import file_sha256
from benchmark.latency import Estimate, Latency
from benchmark.leaderboard import ranked_results
from benchmark.registry import Registry
from benchmark.results import PerUserPart, RunDirectory
from benchmark.runner import RunOptions
from benchmark.selection import pick, record_files
from benchmark.suite import parse_suite

SUITE = """
name: small
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
metrics: {primary: ndcg@5, also: [recall@10, coverage@5, rmse]}
budget: {per_model: 3s, max_trials: 1, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 2}
models: [baselines/popularity, baselines/random]
"""
REGISTRY = Registry(ADAPTERS)


@pytest.fixture(scope="module")
def run_path(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    return runner.run(parse_suite(SUITE, "small.yaml", REGISTRY), REGISTRY, RunOptions(out=folder)).path


@pytest.fixture(scope="module")
def exported(run_path, tmp_path_factory) -> Path:
    results = ranked_results(RunDirectory(run_path))
    target = tmp_path_factory.mktemp("b") / "bundle"
    return export(results, "baselines/random", target, record_files(pick(results)))


@pytest.fixture
def folder(exported, tmp_path) -> Path:
    """A bundle that may be damaged."""
    return Path(shutil.copytree(exported, tmp_path / "bundle"))


def reseal(folder: Path, changes: dict[str, Any] | None = None) -> None:
    """Make a bundle whole again after a change: what somebody who wants to deceive would do."""
    content = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps(merged(content, changes or {})))
    write_sums(folder)


def merged(content: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return nested content with some of its values changed."""
    changed = {
        name: merged(content[name], value) if isinstance(value, dict) and name != "params" else value
        for name, value in changes.items()
    }
    return content | changed


def change_arrays(folder: Path, name: str, **changes: Any) -> None:
    arrays = load_arrays((folder / name).read_bytes())
    (folder / name).write_bytes(save_arrays(arrays | changes))
    reseal(folder)


def test_bundle_recommends_every_user_the_lists_that_the_run_stored(run_path, exported):
    results = ranked_results(RunDirectory(run_path))
    per_user = PerUserPart(results.run_of("baselines/random"), results.finals["baselines/random"]).frame()
    loaded = bundle.load(exported, REGISTRY)
    lists = loaded.recommend([loaded.user_ids[user] for user in per_user["user"]], k=10)
    for found, stored in zip(lists, per_user["items"], strict=True):
        assert [item.id for item in found.items] == [loaded.item_ids[i] for i in stored if i >= 0]


def test_bundle_hides_what_each_user_saw_in_train_and_validation(run_path, exported):
    from benchmark.datasets.store.parts import load_parts

    seen = load_parts(run_path / "splits" / "planted", "train", "valid")
    loaded = bundle.load(exported, REGISTRY)
    for user, found in enumerate(loaded.recommend(loaded.user_ids, k=30)):
        hidden = {loaded.item_ids[item] for item in seen.items[seen.users == user]}
        assert hidden
        assert {item.id for item in found.items} == set(loaded.item_ids) - hidden


def test_bundle_knows_ids_as_numbers_and_as_text(exported):
    loaded = bundle.load(exported, REGISTRY)
    user = loaded.user_ids[3]
    number, *others = loaded.recommend([user, str(user), f" {user} ", f"{user}.0", float(user)], k=5)
    assert all(other == number for other in others)
    assert number.source == "model"
    assert number.items[0].title.startswith("Planted item")


def test_bundle_gives_an_unknown_user_the_most_popular_items_and_says_so(run_path, exported):
    from benchmark.datasets.store.parts import load_parts

    loaded = bundle.load(exported, REGISTRY)
    (found,) = loaded.recommend(["somebody"], k=30)
    rows = load_parts(run_path / "splits" / "planted", "train", "valid").positives()
    counts = np.bincount(rows.items, minlength=rows.n_items)
    assert (found.source, found.note) == ("popularity", "unknown user: the most popular items")
    assert [item.score for item in found.items] == sorted(counts.tolist(), reverse=True)


def test_bundle_of_a_model_that_cannot_fold_in_uses_popularity_without_the_history(exported):
    loaded = bundle.load(exported, REGISTRY)
    favourite = loaded.recommend(["somebody"], k=1)[0].items[0].id
    found = loaded.recommend_new([favourite, "no such item"], k=30)
    assert favourite not in [item.id for item in found.items]
    assert found.source == "popularity"
    assert "cannot fold a history in" in found.note
    assert "1 of 2 items of the history are not in the catalogue" in found.note


FORGETFUL = Registry(dict.fromkeys(ADAPTERS, "fakes:Forgetful"))


def test_model_whose_state_misses_something_is_refused_with_the_rule(folder):
    rule = (
        r"baselines/random: a model restored from state\(\) cannot score: AttributeError: .*'_scores'.*; "
        r"state\(\) must hold every array that score needs"
    )
    reseal(folder, {"params": {}})
    with pytest.raises(AdapterError, match=rule):
        bundle.load(folder, FORGETFUL)
    files, model = verify(folder, FORGETFUL)
    assert (files.ok, model.ok) == (True, False)
    assert re.search(rule, model.detail)


def test_history_that_a_restored_model_cannot_fold_in_is_refused_with_the_rule(exported):
    loaded = replace(bundle.load(exported, REGISTRY), model=Forgetful())
    with pytest.raises(AdapterError, match=r"cannot fold_in: AttributeError: .* array that fold_in needs"):
        loaded.recommend_new([loaded.item_ids[0]])


def test_bundle_that_fails_its_check_does_not_stay(run_path, tmp_path, monkeypatch):
    target = tmp_path / "best"
    with monkeypatch.context() as patch:
        patch.setattr("benchmark.api.bundles.registry", lambda: FORGETFUL)
        with pytest.raises(BundleError, match=r"failed its check.*state\(\) cannot score"):
            api.pick(run_path, export=target)
    assert not target.exists()
    assert api.pick(run_path, export=target).bundle == target


def test_known_user_with_a_history_that_the_model_cannot_use_keeps_its_list_and_is_told(exported):
    loaded = bundle.load(exported, REGISTRY)
    (plain,) = loaded.recommend([loaded.user_ids[0]], k=30)
    found = loaded.recommend_new([plain.items[0].id], k=30, user=loaded.user_ids[0])
    assert (found.source, found.items) == ("model", plain.items[1:])
    assert found.note == (
        "baselines/random cannot fold a history in: the list rests on training alone, without the items of "
        "the history"
    )


def test_bundle_leaves_excluded_items_out(exported):
    loaded = bundle.load(exported, REGISTRY)
    first = loaded.recommend([loaded.user_ids[0]], k=3)[0].items
    (found,) = loaded.recommend([loaded.user_ids[0]], k=2, exclude=[str(first[0].id), "no such item"])
    assert found.items == first[1:]


def test_bundle_refuses_lists_of_no_length(exported):
    with pytest.raises(BundleError, match="k is 0"):
        bundle.load(exported, REGISTRY).recommend([1], k=0)


def test_verify_passes_on_a_fresh_bundle(exported):
    checks = verify(exported, REGISTRY)
    assert [(check.name, check.ok) for check in checks] == [
        ("files", True),
        ("lists", True),
        ("latency", True),
    ]
    assert checks[0].detail == "11 files match SHA256SUMS"
    assert "20 of 20 lists are those that the run stored" in checks[1].detail


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL, SUMS])
def test_verify_one_byte_less_names_the_file(folder, name):
    data = (folder / name).read_bytes()
    for cut in (0, len(data) // 2, len(data) - 1):
        (folder / name).write_bytes(data[:cut] + data[cut + 1 :])
        checks = verify(folder, REGISTRY)
        assert [check.ok for check in checks] == [False]
        assert name in checks[0].detail


@pytest.mark.parametrize("name", [MANIFEST, SUMS])
def test_verify_any_byte_less_of_what_says_what_is_whole_is_found(folder, name):
    data = (folder / name).read_bytes()
    for cut in range(0, len(data), 7):
        (folder / name).write_bytes(data[:cut] + data[cut + 1 :])
        assert not verify(folder, REGISTRY)[0].ok


def test_hashes_can_be_checked_without_bench(exported):
    done = subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=exported, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("older", [1, 2])
def test_bundle_of_an_older_format_is_refused_by_its_number(folder, older):
    reseal(folder, {"format": older})
    (folder / SUMS).unlink()
    with pytest.raises(BundleError, match=f"has format {older}, this version of bench reads format 3"):
        bundle.load(folder, REGISTRY)


def test_bundle_without_its_hashes_is_refused(folder):
    (folder / SUMS).unlink()
    with pytest.raises(BundleError, match="SHA256SUMS: cannot be read"):
        bundle.load(folder, REGISTRY)


def test_file_that_the_hashes_leave_out_is_refused(folder):
    lines = (folder / SUMS).read_text().splitlines(keepends=True)
    (folder / SUMS).write_text("".join(line for line in lines if "golden.json" not in line))
    with pytest.raises(BundleError, match=r"golden\.json: is not listed in SHA256SUMS"):
        bundle.load(folder, REGISTRY)


def test_manifest_that_lacks_an_entry_is_refused_with_its_name(folder):
    content = json.loads((folder / MANIFEST).read_text())
    del content["data"]["n_items"]
    (folder / MANIFEST).write_text(json.dumps(content))
    write_sums(folder)
    with pytest.raises(BundleError, match=r"bundle\.json: data\.n_items: Field required"):
        bundle.load(folder, REGISTRY)


def test_manifest_names_no_folder_of_the_machine(exported):
    provenance = replace(
        bundle.load(exported, REGISTRY).files.manifest.data.provenance, origin="/home/me/log.csv"
    )
    assert without_folders(provenance).origin == "log.csv"
    address = replace(provenance, origin="https://example.org/log.csv")
    assert without_folders(address) == address


def test_serving_imports_no_more_of_ours_than_it_needs():
    """Packages apart, which hold next to nothing."""
    program = (
        "import sys, benchmark.bundle.serving\n"
        "ours = [one for name, one in sys.modules.items() if name.partition('.')[0] == 'benchmark']\n"
        "print(*sorted(one.__name__ for one in ours if not hasattr(one, '__path__')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) <= 14, done.stdout


def test_verify_lists_of_another_model_fail(folder):
    change_arrays(folder, "model.safetensors", seed=np.array(1))
    checks = {check.name: check for check in verify(folder, REGISTRY)}
    assert checks["files"].ok
    assert not checks["lists"].ok


def test_verify_fails_where_scoring_is_slower_than_the_run_measured(folder, monkeypatch):
    fixed = Latency(Estimate(1.0, 0.9, 1.1), Estimate(2.0, 1.9, 2.1), 5, 0, is_steady=True)
    monkeypatch.setattr("benchmark.bundle.verify.latency", lambda *_: fixed)
    reseal(
        folder, {"measured": {"latency_ms_p95": 1.0, "latency_ms_p95_low": 0.9, "latency_ms_p95_high": 1.1}}
    )
    checks = {check.name: check for check in verify(folder, REGISTRY)}
    assert {name: check.ok for name, check in checks.items()} == {
        "files": True,
        "lists": True,
        "latency": False,
    }
    assert "2.000 ms [1.900, 2.100] for one user here; the run measured 1.000 ms" in checks["latency"].detail


@pytest.mark.parametrize(
    ("changed", "steady", "says"),
    [
        ({"processor": "another"}, True, "another machine, so not compared"),
        ({}, False, "this machine is too busy to compare"),
        ({"latency_ms_p95_high": 1.3}, True, "allowed: 1.950 ms"),
    ],
)
def test_verify_passes_where_latency_cannot_be_compared_or_is_near(
    folder, monkeypatch, changed, steady, says
):
    fixed = Latency(Estimate(1.0, 0.9, 1.1), Estimate(2.0, 1.9, 2.1), 5, 0, is_steady=steady)
    monkeypatch.setattr("benchmark.bundle.verify.latency", lambda *_: fixed)
    ends = {"latency_ms_p95": 1.0, "latency_ms_p95_low": 0.9, "latency_ms_p95_high": 1.1}
    reseal(folder, {"measured": ends | changed})
    check = next(check for check in verify(folder, REGISTRY) if check.name == "latency")
    assert check.ok
    assert says in check.detail


def test_load_file_that_is_a_link_is_refused(folder):
    shutil.move(folder / "users.json", folder / "elsewhere")
    (folder / "users.json").symlink_to(folder / "elsewhere")
    with pytest.raises(BundleError, match=r"users\.json"):
        bundle.load(folder, REGISTRY)


def test_load_opens_no_file_that_the_bundle_names(folder):
    secret = folder.parent / "secret"
    secret.write_text("x")
    with (folder / SUMS).open("a") as sums:
        sums.write(f"{file_sha256(secret)}  ../secret\n")
    with pytest.raises(BundleError, match=r"SHA256SUMS: lists \.\./secret, not part of a bundle"):
        bundle.load(folder, REGISTRY)


def test_load_adapter_that_is_not_registered_is_refused(folder):
    reseal(folder, {"origin": {"adapter": "os:system"}})
    with pytest.raises(AdapterError, match="no adapter is called 'os:system'"):
        bundle.load(folder, REGISTRY)


def test_load_unknown_hyperparameter_is_refused(folder):
    reseal(folder, {"params": {"hook": "x"}})
    with pytest.raises(BundleError, match=r"has no hyperparameters \['hook'\]"):
        bundle.load(folder, REGISTRY)


def test_load_hyperparameter_that_is_no_plain_value_is_refused(folder):
    reseal(folder, {"params": {"seed": [1]}})
    with pytest.raises(BundleError, match=r"bundle\.json: params\.seed"):
        bundle.load(folder, REGISTRY)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("model.safetensors", {"n_items": np.array(7)}),
        ("seen.safetensors", {"items": np.array([999], dtype=np.int32)}),
        ("seen.safetensors", {"ends": np.full(41, 10**9)}),
        ("popularity.safetensors", {"counts": np.ones(3, dtype=np.float32)}),
        ("popularity.safetensors", {"counts": np.full(30, np.nan, dtype=np.float32)}),
    ],
)
def test_load_arrays_that_do_not_fit_are_refused(folder, name, changes):
    change_arrays(folder, name, **changes)
    with pytest.raises(BundleError):
        bundle.load(folder, REGISTRY)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("users.json", {"ids": [1, 2]}),
        ("items.json", {"ids": [[1]] * 30}),
        ("items.json", {"ids": list(range(30)), "titles": [5] * 30}),
        ("items.json", []),
    ],
)
def test_load_id_maps_that_do_not_fit_are_refused(folder, name, content):
    (folder / name).write_text(json.dumps(content))
    reseal(folder)
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        bundle.load(folder, REGISTRY)


def test_load_folder_that_is_no_bundle_says_how_to_make_one(tmp_path):
    with pytest.raises(BundleError, match="bench pick RUN --export DIR"):
        bundle.load(tmp_path, REGISTRY)


def test_export_over_something_is_refused_and_changes_nothing(run_path, tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(BundleError, match="already exists"):
        export(ranked_results(RunDirectory(run_path)), "baselines/random", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_export_of_a_changed_state_is_refused(run_path, tmp_path):
    copy = RunDirectory(Path(shutil.copytree(run_path, tmp_path / "run")))
    results = ranked_results(copy)
    (copy / results.finals["baselines/random"].test.state_path).write_bytes(b"other")
    with pytest.raises(BundleError, match="was changed after the run wrote it"):
        export(results, "baselines/random", tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_export_says_nothing_of_the_machine_s_folders(run_path, exported):
    everything = b"".join(path.read_bytes() for path in exported.iterdir())
    assert str(run_path).encode() not in everything
    assert os.environ.get("HOME", "/root").encode() not in everything


def run_bench(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "benchmark.cli", *map(str, words)]
    return subprocess.run(program, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_bench_recommends_and_verifies_without_the_training_data(exported, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "elsewhere")
    loaded = bundle.load(folder, REGISTRY)
    done = run_bench("recommend", folder, "--user", loaded.user_ids[0], "-k", "3", BENCH_DATA="/nowhere")
    expected = [item.title for item in loaded.recommend(loaded.user_ids[:1], k=3)[0].items]
    assert [line.split(maxsplit=2)[2] for line in done.stdout.splitlines()] == expected
    assert run_bench("verify", folder, BENCH_DATA="/nowhere").returncode == 0


def test_bench_pick_exports_a_bundle_with_its_record(run_path, tmp_path, capsys):
    assert cli.main(["pick", str(run_path), "--export", str(tmp_path / "best"), "--max-size-mb", "5"]) == 0
    assert f"Bundle: {tmp_path / 'best'}" in capsys.readouterr().out
    record = json.loads((tmp_path / "best" / "pick.json").read_text())
    assert record["winner"] == json.loads((tmp_path / "best" / MANIFEST).read_text())["model"]


def test_bench_pick_without_export_writes_the_record_into_the_run(run_path, tmp_path, capsys):
    copy = shutil.copytree(run_path, tmp_path / "run")
    assert cli.main(["pick", str(copy), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["record"] == str(copy / "pick.md")
    assert (copy / "pick.json").exists()


def test_bench_export_hands_over_any_model_and_leaves_the_run_as_it_is(run_path, tmp_path, capsys):
    before = {path.name for path in run_path.iterdir()}
    assert cli.main(["export", str(run_path), "baselines/random", str(tmp_path / "any")]) == 0
    assert f"Bundle: {tmp_path / 'any'}" in capsys.readouterr().out
    record = json.loads((tmp_path / "any" / "pick.json").read_text())
    assert (record["winner"], record["outcome"]) == ("baselines/random", "named")
    assert {path.name for path in run_path.iterdir()} == before


def test_bench_export_without_a_folder_takes_the_name_of_the_model(run_path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", str(run_path), "baselines/popularity"]) == 0
    assert (tmp_path / "baselines-popularity" / MANIFEST).is_file()


@pytest.mark.parametrize("words", [["pick", "--export"], ["export", "baselines/random"]])
def test_folder_with_files_is_refused_before_any_work(run_path, tmp_path, capsys, monkeypatch, words):
    (tmp_path / "mine").write_text("kept")
    monkeypatch.setattr("benchmark.leaderboard.ranked_results", lambda *_, **__: pytest.fail("worked"))
    command, *rest = words
    assert cli.main([command, str(run_path), *rest, str(tmp_path)]) == 2
    assert "name a new or empty folder for the bundle" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_page_shows_the_last_pick_with_its_limits(run_path, tmp_path):
    copy = shutil.copytree(run_path, tmp_path / "run")
    api.report(copy)
    (copy / "leaderboard.html").write_text("the page of before")
    api.pick(copy, model="baselines/random")
    api.pick(copy, max_size_mb=5)
    page = (copy / "leaderboard.html").read_text("utf-8")
    assert "Pick of 20" in page
    assert "Limits: <bdi>size_mb ≤ 5</bdi>" in page
    assert (copy / "pick-1.md").exists()


def test_bundle_of_a_package_that_is_not_installed_names_it(folder):
    reseal(folder, {"origin": {"adapter": "theirs/model", "package": "their-models==1.2"}})
    with pytest.raises(
        MissingLibrary, match=r"theirs/model comes from the package their-models==1\.2, .* pip"
    ):
        bundle.load(folder, REGISTRY)


def test_verify_says_which_versions_are_others_and_fails_nothing_for_it(folder):
    reseal(folder, {"origin": {"package": "their-models==1.2"}})
    checks = {check.name: check for check in verify(folder, REGISTRY)}
    assert checks["packages"].ok
    assert "their-models 1.2 in the run" in checks["packages"].detail


def test_bench_pick_that_nothing_meets_exits_2_with_every_miss(run_path, capsys):
    assert cli.main(["pick", str(run_path), "--min", "coverage@5=2"]) == 2
    assert capsys.readouterr().err.count("under the limit of 2") == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name one: --dataset planted | --dataset other"),
        (["--dataset", "plantd"], "did you mean 'planted'"),
    ],
)
def test_bench_pick_of_several_data_sets_asks_which(run_path, tmp_path, capsys, words, message):
    copy = shutil.copytree(run_path, tmp_path / "run")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["datasets"]["other"] = manifest["datasets"]["planted"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert cli.main(["pick", str(copy), *words]) == 2
    assert message in capsys.readouterr().err


def test_bench_pick_of_a_run_that_was_stopped_is_refused(run_path, tmp_path, capsys):
    copy = RunDirectory(Path(shutil.copytree(run_path, tmp_path / "run")))
    copy.update(state="stopped")
    assert cli.main(["pick", str(copy.path)]) == 2
    assert "is not finished (stopped)" in capsys.readouterr().err


def test_bench_diff_of_a_run_with_itself_finds_nothing(run_path, capsys):
    assert cli.main(["diff", str(run_path), str(run_path), "--fail-on-regression", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert {row["difference"] for row in content["rows"]} == {0.0}
    assert content["regressed"] is False


def test_bench_verify_of_a_damaged_bundle_exits_2_and_names_the_file(folder, capsys):
    (folder / "golden.json").write_text("{}")
    assert cli.main(["verify", str(folder)]) == 2
    assert "golden.json" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_bench_recommends_many_users_into_a_file(exported, tmp_path, suffix):
    loaded = bundle.load(exported, REGISTRY)
    users = pd.DataFrame({"user": [*loaded.user_ids[:3], 10**6], "age": 3})
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    users.to_csv(source, index=False) if suffix == "csv" else users.to_parquet(source)
    words = ["recommend", str(exported), "--users", str(source), "--out", str(target), "-k", "4"]
    assert cli.main(words) == 0
    found = pd.read_csv(target) if suffix == "csv" else pd.read_parquet(target)
    assert list(found.columns) == ["user", "rank", "item", "title", "score", "source"]
    assert found["source"].tolist() == ["model"] * 12 + ["popularity"] * 4
    expected = [item.id for item in loaded.recommend(loaded.user_ids[:1], k=4)[0].items]
    assert found["item"].tolist()[:4] == expected


def test_bundle_compares_ids_of_users_histories_and_exclusions_alike():
    from benchmark.datasets.log import dense_id

    known = {"18446744073709551615": 0, "Jos\u00e9": 1, "5": 2, "5.0": 3, "NA": 4}
    asked = [2**64 - 1, "Jose\u0301", " 5", "5.0", "NA", "None"]
    assert [dense_id(known, one) for one in asked] == [0, 1, 2, 3, 4, None]


def test_lists_are_made_for_users_whose_id_is_na(tmp_path):
    from benchmark.bundle.id_files import read_ids

    (tmp_path / "users.csv").write_text("user\nNA\nnull\n007\n")
    read = read_ids(tmp_path / "users.csv", "user", "--users", lambda _: False)
    assert (read.ids, read.said) == (["NA", "null", "007"], "")


def test_bench_shows_hostile_titles_without_obeying_them(folder, tmp_path, capsys):
    items = json.loads((folder / "items.json").read_text())
    items["titles"] = ["=cmd()\x1b[2J\u202eevil"] * 30
    (folder / "items.json").write_text(json.dumps(items))
    reseal(folder)
    assert cli.main(["recommend", str(folder), "--user", "somebody", "-k", "1"]) == 0
    assert "=cmd()�[2J�evil" in capsys.readouterr().out
    (tmp_path / "in.csv").write_text("user\n1\n")
    words = [
        "recommend",
        str(folder),
        "--users",
        str(tmp_path / "in.csv"),
        "--out",
        str(tmp_path / "out.csv"),
    ]
    assert cli.main(words) == 0
    assert pd.read_csv(tmp_path / "out.csv")["title"].str.startswith("'=cmd()").all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "for whom"),
        (["--user", "1", "--users", "u.csv"], "cannot be combined with"),
        (["--users", "u.csv"], "needs --out"),
        (["--users", "u.txt", "--out", "o.csv"], r"must end in \.csv or \.parquet"),
        (["--user", "1", "--out", "o.txt"], r"must end in \.csv or \.parquet"),
        (["--similar-to", "1", "--why"], "asks for no user"),
        (["--user", "1", "--why"], "baselines/random cannot say why"),
        (["--similar-to", "1"], "baselines/random has no measure of how alike"),
        (["--similar-to", "0.5"], r"item 0\.5 is not in the catalogue of 30 items"),
        (["--user", "1", "--only", "none.txt"], "--only none.txt: cannot be read"),
        (["--user", "1", "-k", "0"], "k is 0"),
    ],
)
def test_bench_recommend_words_that_make_no_sense_get_one_message(exported, capsys, tmp_path, words, message):
    (tmp_path / "u.csv").write_text("user\n1\n")
    words = [str(tmp_path / word) if word.startswith("u.") else word for word in words]
    assert cli.main(["recommend", str(exported), *words]) == 2
    captured = capsys.readouterr()
    assert re.search(message, captured.err)
    assert captured.err.count("\n") == 1
