"""Any model is handed over: where the bundle and the record go, and what is refused before any work."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import Bench

from adapters import ADAPTERS
from benchmark import api, runner
from benchmark.bundle.format import MANIFEST, SUMS
from benchmark.bundle.verify import verify
from benchmark.cli.main import COMMANDS
from benchmark.cli.parser import build_parser
from benchmark.errors import BundleError, PickError, VersionWarning
from benchmark.leaderboard import RankedResults, ranked_results
from benchmark.registry import Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.suite import parse_suite

SUITE = """
name: small
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
metrics: {primary: ndcg@5, also: [recall@5]}
budget: {per_model: 3s, max_trials: 1, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1, train_on: train}
models: [baselines/popularity, baselines/random]
"""
REGISTRY = Registry(ADAPTERS)
NOWHERE = "/proc/nowhere"
"""A folder that the kernel lets nobody make, not even root."""


@pytest.fixture(scope="module")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    return runner.run(parse_suite(SUITE, "small.yaml", REGISTRY), REGISTRY, RunOptions(out=folder)).path


def is_whole(bundle: Path) -> bool:
    """Return whether a bundle holds what its list of hashes says, and nothing else."""
    lines = [line.split("  ") for line in (bundle / SUMS).read_text().splitlines()]
    found = {path.name for path in bundle.iterdir()} - {SUMS}
    return found == {name for _, name in lines} and all(
        hashlib.sha256((bundle / name).read_bytes()).hexdigest() == digest for digest, name in lines
    )


def test_export_into_the_folder_where_the_shell_stands_fills_that_folder(
    bench: Bench, run_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = here.stat().st_ino
    code, shown, said = bench("export", run_path, "baselines/random", ".")

    assert (code, said) == (0, "")
    assert shown.startswith("Bundle: .\n")
    assert here.stat().st_ino == before
    assert is_whole(here)


def test_bundle_that_fails_its_check_is_removed_from_a_folder_that_stays(
    run_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        name, ok, detail = "lists", False, "they differ"

    monkeypatch.setattr("benchmark.api.picking.verify", lambda _: [Broken()])
    (tmp_path / "mounted").mkdir()
    for name in ("mounted", "new"):
        with pytest.raises(BundleError, match="failed its check and was removed: they differ"):
            api.export(run_path, "baselines/random", tmp_path / name)

    assert list((tmp_path / "mounted").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["mounted"]


def test_record_asked_for_in_the_folder_of_the_bundle_is_the_one_of_the_bundle(
    run_path: Path, tmp_path: Path
) -> None:
    picked = api.pick(run_path, export=tmp_path / "best", out=tmp_path / "best")

    assert picked.record == tmp_path / "best" / "pick.md"
    assert is_whole(tmp_path / "best")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (lambda path: path / "file", "file: is a file"),
        (lambda path: path / "file" / "below", "cannot be made, .*file is not a folder"),
        (lambda path: path / "link", "link: is a link that leads nowhere"),
    ],
)
def test_place_that_can_be_no_bundle_is_refused_before_any_work(
    run_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: Callable[[Path], Path],
    message: str,
) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    monkeypatch.setattr("benchmark.leaderboard.ranked_results", lambda *_, **__: pytest.fail("worked"))
    for call in (
        lambda folder: api.pick(run_path, export=folder),
        lambda folder: api.export(run_path, "baselines/random", folder),
    ):
        with pytest.raises(BundleError, match=message):
            call(place(tmp_path))

    assert (tmp_path / "file").read_text() == "kept"
    assert not (tmp_path / "gone").exists()


def test_model_is_exported_though_the_reference_of_the_board_has_no_result(
    run_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ranked_results(RunDirectory(run_path))
    without: RankedResults = replace(whole, table=replace(whole.table, reference="somebody/else"))
    monkeypatch.setattr("benchmark.leaderboard.ranked_results", lambda *_, **__: without)
    with pytest.raises(PickError, match="has no test result, so nothing can be compared"):
        api.pick(run_path)
    bundle = api.export(run_path, "Baselines/Random", tmp_path / "any")

    assert json.loads((bundle / MANIFEST).read_text())["model"] == "baselines/random"
    assert not (bundle / "pick.md").exists()
    assert all(check.ok for check in verify(bundle, REGISTRY) if check.name != "latency")


def test_model_whose_state_is_gone_is_refused_with_what_makes_it_anew(
    bench: Bench, run_path: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(run_path, tmp_path / "run")
    for state in (copy / "models").iterdir():
        state.unlink()
    for words in (["export", copy, "baselines/random"], ["pick", copy, "--model", "baselines/random"]):
        code, _, said = bench(*words, *(["--export"] if words[0] == "pick" else []), tmp_path / "bundle")

        assert code == 2
        assert "planted: baselines/random: no stored state, so no bundle can be exported" in said
        assert said.endswith(f"is gone; make it anew: bench run {copy}/suite.yaml --fresh\n")
    assert not (tmp_path / "bundle").exists()


def test_model_of_a_run_that_ranked_nothing_is_exported(tmp_path: Path) -> None:
    text = SUITE.replace("{primary: ndcg@5, also: [recall@5]}", "{primary: rmse, also: []}")
    suite = parse_suite(text.replace("baselines/popularity, baselines/random", "surprise/svd"), "s", REGISTRY)
    run = runner.run(suite, REGISTRY, RunOptions(out=tmp_path / "run"))
    bundle = api.export(run.path, "surprise/svd", tmp_path / "bundle")

    assert (
        "there are no lists to compare with" in {one.name: one for one in api.verify(bundle)}["lists"].detail
    )
    assert len(api.recommend(bundle, [1], k=3)[0].items) == 3


def test_bundle_of_other_versions_is_served_with_a_warning(
    bench: Bench, run_path: Path, tmp_path: Path
) -> None:
    bundle = api.export(run_path, "baselines/random", tmp_path / "any")
    content = json.loads((bundle / MANIFEST).read_text())
    content["origin"]["package"] = "their-models==1.2"
    (bundle / MANIFEST).write_text(json.dumps(content))
    digest = hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()
    lines = [line for line in (bundle / SUMS).read_text().splitlines() if not line.endswith(MANIFEST)]
    (bundle / SUMS).write_text("\n".join([*lines, f"{digest}  {MANIFEST}"]) + "\n")
    with pytest.warns(VersionWarning, match=r"their-models 1\.2 in the run, .* `bench verify"):
        api.load(bundle)
    code, shown, said = bench("recommend", bundle, "--user", "1", "-k", "2")

    assert (code, len(shown.splitlines())) == (0, 2)
    assert said.startswith(f"bench: warning: {bundle}: their-models 1.2 in the run, ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("run", "SUITE", "--out", f"{NOWHERE}/run"),
        ("report", "RUN", "--out", f"{NOWHERE}/board.md"),
        ("report", "RUN", "--out", f"{NOWHERE}/"),
        ("pick", "RUN", "--out", f"{NOWHERE}/record"),
        ("pick", "RUN", "--export", f"{NOWHERE}/best"),
        ("export", "RUN", "baselines/random", f"{NOWHERE}/best"),
        ("export-split", "RUN", f"{NOWHERE}/split"),
        ("recommend", "BUNDLE", "--users", "USERS", "--out", f"{NOWHERE}/lists.csv"),
        ("init", "USERS", "--out", f"{NOWHERE}/mine.yaml"),
        ("data", "melt", "MATRIX", f"{NOWHERE}/rows.csv"),
    ],
    ids=lambda words: " ".join(words[:1] + words[-2:-1]),
)
def test_place_that_cannot_be_written_is_refused_with_a_cure_that_the_command_has(
    bench: Bench, run_path: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "small.yaml").write_text(SUITE)
    (tmp_path / "users.csv").write_text("user,item\n1,2\n1,3\n2,3\n")
    (tmp_path / "matrix.csv").write_text("user,a,b\n1,2,3\n2,,4\n")
    places = {
        "SUITE": tmp_path / "small.yaml",
        "RUN": run_path,
        "USERS": tmp_path / "users.csv",
        "MATRIX": tmp_path / "matrix.csv",
    }
    if "BUNDLE" in words:
        places["BUNDLE"] = api.export(run_path, "baselines/popularity", tmp_path / "bundle")
    code, _, said = bench(*(places.get(word, word) for word in words))
    options = build_parser({words[0]: COMMANDS[words[0]]}).format_help()
    known = bench(words[0], "--help")[1] + options

    assert code == 2
    assert said.startswith("bench: ")
    assert "Traceback" not in said
    assert [word for word in said.split() if word.startswith("--") and word.strip(".,;:") not in known] == []
