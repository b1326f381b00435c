"""The command line: its words, its lists, and what it imports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest
import yaml
from command_line import LOG, OWN, SMALL, Bench

from adapters import ADAPTERS
from benchmark.cli import COMMANDS, main
from benchmark.results import RunDirectory


def test_help_imports_nothing_heavy() -> None:
    program = [sys.executable, "-X", "importtime", "-m", "benchmark.cli", "--help"]
    shown = subprocess.run(program, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in shown.stderr.splitlines()}
    heavy = {
        "numpy",
        "scipy",
        "pandas",
        "pyarrow",
        "optuna",
        "pydantic",
        "rich",
        "yaml",
        "requests",
        "logging",
    }
    assert "argparse" in imported
    assert not imported & (heavy | {"torch", "tensorflow", "keras", "surprise", "lightfm"})


@pytest.mark.alone
def test_help_is_there_in_a_fifth_of_a_second() -> None:
    def seconds() -> float:
        start = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "benchmark.cli", "--help"], stdout=subprocess.DEVNULL, check=True
        )
        return time.monotonic() - start

    seconds()  # compiles files, uncounted
    assert median(seconds() for _ in range(7)) <= 0.2


def test_help_lists_every_command(bench: Bench) -> None:
    code, shown, _ = bench("--help")
    assert code == 0
    assert all(f"\n    {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("rnu", "bench: there is no command 'rnu'; did you mean 'run'? (see `bench --help`)\n"),
        ("", "bench: the following arguments are required: COMMAND"),
        ("run small --bugdet 3s", "bench run: takes no argument '--bugdet'; did you mean '--budget'?"),
        ("run", "bench run: the following arguments are required: SUITE"),
        ("run small --jobs two", "bench run: argument --jobs: invalid int value: 'two'"),
        (
            "pick RUN --min ndcg@10=much",
            "bench pick: argument --min: 'ndcg@10=much' must be METRIC=VALUE with a number, such as",
        ),
        ("data lst", "bench data: there is no choice 'lst'; did you mean 'list'?"),
        (
            "report RUN extra --format mdd",
            "bench report: argument --format: there is no choice 'mdd'; did you mean 'md'?",
        ),
    ],
)
def test_mistyped_command_gets_one_line_with_the_nearest_word(
    bench: Bench, arguments: str, complaint: str
) -> None:
    code, shown, said = bench(*arguments.split())
    assert (code, shown) == (2, "")
    assert said.startswith(complaint)
    assert said.count("\n") == 1


def test_log_beside_its_suite_is_found_from_anywhere(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "log.csv").write_text(LOG)
    (folder / "own.yaml").write_text(OWN.format(keys=", value: rating", more=""))
    monkeypatch.chdir(tmp_path)
    code, shown, _ = bench("data", "check", Path("shop") / "own.yaml")
    assert code == 0
    assert "rows 120, users 12, items 10" in shown


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the small suite."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.yaml").write_text(SMALL)
    assert main(["run", str(folder / "small.yaml"), "--out", str(folder / "run"), "--quiet"]) == 0
    return folder / "run"


def test_report_shows_a_finished_run_and_writes_what_the_run_wrote(bench: Bench, finished: Path) -> None:
    code, shown, _ = bench("report", finished)
    assert code == 0
    assert "baselines/popularity" in shown
    for suffix in ("md", "csv", "json"):
        assert (
            bench("report", finished, "--format", suffix)[1]
            == (finished / f"leaderboard.{suffix}").read_text()
        )


def test_report_of_no_run_says_how_to_find_one(bench: Bench, tmp_path: Path) -> None:
    code, _, said = bench("report", tmp_path)
    assert code == 2
    assert "not a run directory (no manifest.json); `bench runs` lists the runs here." in said


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 99}'])
def test_manifest_that_cannot_be_read_is_refused_and_its_run_left_out_of_the_list(
    bench: Bench, tmp_path: Path, content: str
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text(content)
    assert bench("report", tmp_path / "run")[0] == 2
    assert bench("runs", "--results", tmp_path) == (
        0,
        "no runs here; start one with: bench run quickstart\n",
        "",
    )


def test_damaged_ledger_is_refused_and_named(bench: Bench, finished: Path, tmp_path: Path) -> None:
    run = RunDirectory(shutil.copytree(finished, tmp_path / "run"))
    text = (run / "ledger.jsonl").read_text()
    (run / "ledger.jsonl").write_text("{broken\n" + text)
    run.update(state="running")
    for arguments in (("report", run.path), ("run", finished.parent / "small.yaml", "--out", run.path)):
        code, _, said = bench(*arguments)
        assert code == 2
        assert "ledger.jsonl: " in said


def test_runs_are_listed_with_how_they_ended(bench: Bench, finished: Path) -> None:
    code, shown, _ = bench("runs", "--results", finished.parent)
    assert code == 0
    assert shown.splitlines()[1].split()[2:] == ["UTC", "small", "finished", "1", str(finished)]


def test_check_shows_every_default_and_what_it_shows_is_a_suite(bench: Bench, small: Path) -> None:
    code, shown, _ = bench("check", small)
    assert code == 0
    written = yaml.safe_load(shown)
    assert (written["split"]["by"], written["verdict"]["alpha"]) == ("random", 0.05)
    small.write_text(shown)
    assert bench("check", small)[1] == shown


def test_plan_says_what_each_study_may_spend(bench: Bench, small: Path) -> None:
    small.write_text(SMALL.replace("popularity]", "popularity, surprise/svd]"))
    code, shown, _ = bench("plan", small, "--budget", "2m")
    assert code == 0
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in shown.splitlines() if "planted/" in line}
    assert rows["planted/baselines/popularity"] == "one trial nothing"
    assert rows["planted/surprise/svd"].startswith("2m dim 8..200 log")
    assert "At most 2m of tuning in total" in shown


def test_check_and_plan_warn_where_every_rating_counts_as_a_like(bench: Bench, small: Path) -> None:
    warned = "planted: a scale is declared without positive, so every rating counts as a like"
    code, shown, errors = bench("check", small)
    assert (code, warned in errors, warned in shown) == (0, True, False)
    assert warned in bench("plan", small)[1]
    small.write_text(SMALL + "prepare: {positive: '>= 4'}\n")
    assert "WARNING" not in bench("check", small)[2]
    shown = bench("plan", small)[1]
    assert "planted: likes (positive): >= 4" in shown
    assert "WARNING" not in shown


def test_plan_says_who_ignores_weights_and_known_dislikes(bench: Bench, small: Path) -> None:
    text = SMALL.replace("seed: 3}", "seed: 3}, weight: value").replace(
        "popularity]", "popularity, native/ials]"
    )
    small.write_text(text + "prepare: {positive: '>= 4', negative: '<= 2'}\n")
    shown = bench("plan", small)[1]
    for what in ("The known dislikes (<= 2)", "The weights"):
        assert f"{what} are used by native/ials; ignored by baselines/popularity." in shown


def test_plan_says_which_published_configuration_is_tried_next(bench: Bench, small: Path) -> None:
    small.write_text(SMALL.replace("popularity]", "popularity, torch/multvae]"))
    _, shown, _ = bench("plan", small)
    said = " ".join(shown.split())
    assert "max_epochs=200; then published dim=200, beta=0.2" in said


@pytest.mark.parametrize("width", [80, 200])
def test_models_are_listed_whole_at_every_width(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    from rich.console import Console

    from benchmark.cli import models

    monkeypatch.setattr(models, "console", lambda: Console(width=width))
    code, shown, _ = bench("models")
    assert code == 0
    lines = shown.splitlines()
    assert max(map(len, lines)) <= width
    for name in ADAPTERS:
        assert any(line.startswith(f"{name} ") for line in lines)


def test_models_are_listed_without_importing_a_framework() -> None:
    program = "import sys; from benchmark.cli import main; main(['models']); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "tensorflow", "keras", "surprise", "lightfm"} & set(shown.splitlines()[-1].split())


def test_model_in_full_shows_docstring_space_traits_and_evidence(bench: Bench) -> None:
    code, shown, _ = bench("models", "--detail", "torch/neumf")
    assert code == 0
    said = [" ".join(line.split()) for line in shown.splitlines()]
    assert "Neural collaborative filtering: NeuMF (He 2017, arXiv:1708.05031)." in said
    assert "lr 0.003 0.0005..0.01 log" in said
    assert "batch_size 1024 fixed" in said
    assert "learns from likes" in said
    assert any(line.startswith("movielens movielens-100k ") and "ndcg@10 0.2" in line for line in said)


def test_model_without_a_committed_board_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.results.reference.reference_boards", list)
    code, shown, _ = bench("models", "--detail", "native/ease")
    assert (code, shown.splitlines()[-1]) == (0, "No reference board has results of this model yet.")


def test_model_that_does_not_exist_is_refused_with_the_nearest(bench: Bench) -> None:
    code, _, complaint = bench("models", "--detail", "native/eese")
    assert (code, complaint) == (
        2,
        "bench: no adapter is called 'native/eese'; did you mean 'native/ease'?\n",
    )


def test_former_name_of_a_model_is_refused_with_the_present_one(bench: Bench) -> None:
    code, _, complaint = bench("models", "--detail", "torch/slim")
    assert (code, complaint) == (
        2,
        "bench: no adapter is called 'torch/slim'; did you mean 'native/slim'?\n",
    )


def test_docstring_of_every_model_is_its_own_and_names_source_feedback_and_cost() -> None:
    from benchmark.cli.views.models import docstring
    from benchmark.registry import Registry

    models = Registry(ADAPTERS)
    for name in ADAPTERS:
        shown, feedback = docstring(models[name].cls), models[name].traits.feedback
        assert len(shown.split("\n\n")) >= 2, f"{name}: give both the module and the class a docstring"
        assert re.search(rf"{feedback} feedback|feedback: {feedback}", shown, re.IGNORECASE), name
        assert re.search(r"\bO\(.*[UINX1]", shown), f"{name}: say what a fit or a pass costs in U, I, N"
        assert name == "baselines/random" or re.search(r"\b(19|20)\d\d\b", shown), f"{name}: name the source"


def test_data_list_says_what_is_here_and_how_to_get_the_rest(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").touch()
    code, shown, _ = bench("data", "list", "--data", tmp_path)
    assert code == 0
    assert str(tmp_path / "ml-100k") in shown
    assert "no: bench data fetch lastfm-hetrec2011" in shown


def test_data_list_shows_categories_as_one_until_they_are_asked_for(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "amazon-2023-Books").mkdir()
    (tmp_path / "amazon-2023-Books" / "Books.csv").touch()
    _, shown, _ = bench("data", "list", "--data", tmp_path)
    assert str(tmp_path / "amazon-2023-Books") in shown  # what is here is shown by itself
    assert "amazon-2023-CATEGORY-raw" in shown
    assert "amazon-2023-video-games" not in shown
    _, shown, _ = bench("data", "list", "amazon", "--data", tmp_path)
    assert "no: bench data fetch amazon-2023-video-games-raw" in shown
    code, _, said = bench("data", "list", "nosuch", "--data", tmp_path)
    assert (code, "no data set has 'nosuch' in its name" in said) == (2, True)


def test_data_list_and_fetch_say_which_data_sets_must_be_got_by_hand(bench: Bench, tmp_path: Path) -> None:
    _, shown, _ = bench("data", "list", "netflix", "--data", tmp_path)
    assert "must be got by hand: bench data fetch netflix" in " ".join(shown.split())
    code, _, said = bench("data", "fetch", "netflix")
    assert code == 2
    assert said.startswith("bench: netflix is not on this machine, and nobody may fetch it for you")
    assert "Make a folder netflix-prize-data under $BENCH_DATA" in said


def test_data_check_shows_counts_and_what_the_audit_flags(bench: Bench, small: Path) -> None:
    code, shown, _ = bench("data", "check", small)
    assert code == 0
    assert "rows 400, users 40, items 30" in shown
    assert "overlap: pairs of user and item in two parts; must be 0" in " ".join(shown.split())


def test_data_check_puts_the_counts_of_a_known_data_set_beside_the_published_ones(
    bench: Bench, tmp_path: Path
) -> None:
    rows = [
        f"{user}\t{item}\t{(user + item) % 5 + 1}\t{user * 30 + item + 1}\n"
        for user in range(20)
        for item in range(30)
    ]
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").write_text("".join(rows))
    (tmp_path / "suite.yaml").write_text(
        "name: s\ndatasets: [movielens-100k]\nmodels: [baselines/popularity]\n"
    )
    code, shown, _ = bench("data", "check", tmp_path / "suite.yaml", "--data", tmp_path)
    assert code == 0
    assert "600 rows, 20 users, 30 items are here; 100,000 rows" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("fetch", "movielens-101k"),
            "no data set is called 'movielens-101k'; did you mean 'movielens-100k'?",
        ),
        (("fetch",), "bench data fetch requires the name of a data set"),
        (("check",), "bench data check requires the name of a suite"),
        (("check", "nosuch"), "nosuch: there is no such suite"),
    ],
)
def test_data_commands_say_what_they_lack(bench: Bench, arguments: tuple[str, ...], complaint: str) -> None:
    code, _, said = bench("data", *arguments)
    assert code == 2
    assert said.startswith(f"bench: {complaint}")


def test_doctor_shows_this_machine_and_fails_where_a_library_is_missing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import adapters.torch.mf

    monkeypatch.setattr(adapters.torch.mf.Mf, "requires", ("no_torch",))
    code, shown, _ = bench("doctor")
    assert code == 2
    assert "cores" in shown
    assert "needs no_torch" in shown
    assert "Install what is missing: pip install 'recsys-bench[torch]'" in shown


def test_schema_is_json_and_knows_every_section(bench: Bench) -> None:
    code, shown, _ = bench("schema")
    assert code == 0
    assert {"datasets", "split", "budget", "models", "verdict"} <= set(json.loads(shown)["properties"])


def test_reader_of_the_output_that_goes_away_is_no_error() -> None:
    program = f"{sys.executable} -m benchmark.cli check quickstart | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == "name: quickstart\n"
    assert done.stderr == ""


def test_run_in_which_no_model_has_a_result_shows_the_board_and_exits_2(
    bench: Bench, small: Path, tmp_path: Path
) -> None:
    small.write_text(
        small.read_text().replace("primary: ndcg@5, also: [recall@5]", "primary: rmse, also: []")
    )
    code, shown, complaint = bench("run", small, "--out", tmp_path / "run")

    assert code == 2
    assert "predicts no ratings" in shown
    assert "no model has a result" in complaint
