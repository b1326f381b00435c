"""The command line: what it shows, and one clear message for what a user can get wrong."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from adapters import ADAPTERS
from benchmark.cli import VERBS, main
from benchmark.datasets.sources import fetch, open_log
from benchmark.results import RunDirectory
from benchmark.runner.place import find_or_create
from benchmark.verbs import check

SMALL = """\
name: small
datasets: [{name: planted, synthetic: {users: 40, items: 30, interactions: 400, seed: 3}}]
metrics: {primary: ndcg@5, also: [recall@5]}
budget: {per_model: 1s, max_trials: 2, slot: {memory: 2GB, gpu: "no"}}
finals: {seeds: 1, train_on: train}
models: [baselines/popularity]
"""
OWN = """\
name: own
datasets: [{{name: shop, path: log.csv{keys}}}]
metrics: {{primary: ndcg@5, also: [recall@5]}}
{more}
models: [baselines/popularity]
"""
LOG = "user,item,rating\n" + "".join(f"u{u},i{i},{(u + i) % 5 + 1}\n" for u in range(12) for i in range(10))

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Call the command line in this process; return exit code, output and complaint."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA", raising=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = left.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A suite that runs in a second or two."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


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


def test_help_lists_every_verb(bench: Bench) -> None:
    code, shown, _ = bench("--help")
    assert code == 0
    assert all(verb in shown for verb in VERBS)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("rnu", "bench: there is no verb 'rnu'; did you mean 'run'? (bench --help says what there is)\n"),
        ("", "bench: the following arguments are required: VERB"),
        ("run small --bugdet 3s", "bench run: takes no argument '--bugdet'; did you mean '--budget'?"),
        ("run", "bench run: the following arguments are required: SUITE"),
        ("run small --jobs two", "bench run: argument --jobs: invalid int value: 'two'"),
        ("data lst", "bench data: there is no choice 'lst'; did you mean 'list'?"),
        ("report RUN extra --format mdd", "bench report: there is no choice 'mdd'; did you mean 'md'?"),
    ],
)
def test_mistyped_command_gets_one_line_with_the_nearest_word(
    bench: Bench, arguments: str, complaint: str
) -> None:
    code, shown, said = bench(*arguments.split())
    assert (code, shown) == (2, "")
    assert said.startswith(complaint)
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ("--budget abc", "bench: command line: budget.per_model: must be a duration such as 45s, 2m or 1h"),
        ("--budget 0", "bench: command line: budget.per_model: must be greater than 0 (found 0.0)"),
        ("--budget=-3s", "bench: command line: budget.per_model: must be greater than 0 (found -3.0)"),
        ("--seeds 0", "bench: command line: finals.seeds: must be greater than or equal to 1 (found 0)"),
        ("--jobs 0", "bench: --jobs 0: must be 1 or more"),
        ("--models ,", "bench: --models: must name at least one model"),
        ("--models popularity", "bench: --models popularity: "),
        ("--data /nowhere/at/all", "bench: --data /nowhere/at/all: there is no such folder"),
    ],
)
def test_flag_that_cannot_be_is_refused_before_anything_is_made(
    bench: Bench, small: Path, tmp_path: Path, flags: str, complaint: str
) -> None:
    code, _, said = bench("run", small, "--out", tmp_path / "run", *flags.split())
    assert code == 2
    assert said.startswith(complaint)
    assert not (tmp_path / "run").exists()


def test_unknown_model_names_the_nearest_of_the_suite(bench: Bench, small: Path) -> None:
    said = bench("run", small, "--models", "baselines/popularty")[2]
    assert "did you mean 'baselines/popularity'?\n  It has: baselines/popularity." in said


@pytest.mark.parametrize("verb", ["run", "check", "plan"])
def test_missing_suite_is_refused_by_every_verb_that_takes_one(bench: Bench, verb: str) -> None:
    code, _, said = bench(verb, "movielenz")
    assert code == 2
    assert said.startswith(
        "bench: movielenz: there is no such suite; did you mean 'movielens'?\n  Shipped are: "
    )


@pytest.mark.parametrize(
    ("log", "keys", "more", "complaint"),
    [
        ("a,b\n1,2\n", "", "", "log.csv: there is no column 'user'\n  The file has: 'a', 'b'."),
        (LOG, ", value: ratng", "", "log.csv: there is no column 'ratng'; did you mean 'rating'?"),
        (
            LOG + "u1,i20,good\n",
            ", value: rating",
            "",
            "log.csv:122: column 'rating' has 'good' where a number",
        ),
        (
            LOG + "u1,i1,3\n",
            ", value: rating",
            "",
            "every pair must occur once\n  Say what to do with prepare.",
        ),
        ("user,item\n" + "".join(f"u,i{i}\n" for i in range(20)), "", "", "shop: there is one user only (u)"),
        ("", "", "", "log.csv: the file is empty; it must hold one line per interaction"),
        ("user,item\n", "", "", "log.csv: no rows; it must hold one line per interaction"),
        (LOG, ", value: rating, scale: [1, 4]", "", "all must lie on the scale 1 to 4"),
        (LOG, "", "split: {by: global_time}", "a global_time split needs times, and the log has none"),
        (LOG, "", "split: {by: leave_last_out}", "a leave_last_out split needs times, and the log has none"),
        (LOG, "", "prepare: {positive: '>= 3'}", "positive: '>= 3' needs values, and the log has none"),
        (LOG, ", value: rating", "prepare: {positive: '>= 9'}", "no row counts as a like"),
    ],
)
def test_log_that_cannot_be_used_is_refused_with_what_to_do(
    bench: Bench, tmp_path: Path, log: str, keys: str, more: str, complaint: str
) -> None:
    (tmp_path / "log.csv").write_text(log)
    (tmp_path / "own.yaml").write_text(OWN.format(keys=keys, more=more))
    code, _, said = bench("run", tmp_path / "own.yaml", "--out", tmp_path / "run")
    assert code == 2
    assert said.startswith("bench: ")
    assert complaint in said


def test_k_above_the_catalogue_is_refused_and_the_corrected_suite_starts_in_the_same_place(
    bench: Bench, small: Path, tmp_path: Path
) -> None:
    small.write_text(SMALL.replace("ndcg@5", "ndcg@31"))
    code, _, said = bench("run", small, "--out", tmp_path / "run")
    assert (code, said) == (
        2,
        "bench: planted: metric 'ndcg@31': k is 31; k must be between 1 and the 30 items\n",
    )
    suite = check(small.with_name("small.yaml"), {"metrics": {"primary": "ndcg@5"}})
    assert find_or_create(suite, tmp_path, tmp_path / "run", fresh=False).path == tmp_path / "run"
    assert not list((tmp_path / "run" / "splits").glob("*"))


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


def test_missing_libraries_are_all_listed_before_anything_is_made(
    bench: Bench, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import adapters.lightfm
    import adapters.torch.ease

    monkeypatch.setattr(adapters.lightfm.Warp, "requires", ("no_lightfm",))
    monkeypatch.setattr(adapters.torch.ease.Ease, "requires", ("no_torch",))
    small.write_text(SMALL.replace("popularity]", "popularity, lightfm/warp, torch/ease]"))
    code, _, said = bench("run", small, "--out", tmp_path / "run")
    assert code == 2
    assert "lightfm/warp needs no_lightfm, which is not installed\ntorch/ease needs no_torch" in said
    assert "pip install 'recsys-bench[lightfm,torch]', or go on without: --skip-missing" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("place", ["/proc/nowhere/run", "/dev/full/run", "/dev/null", "x" * 300])
def test_place_that_cannot_be_written_is_refused(bench: Bench, small: Path, place: str) -> None:
    code, _, said = bench("run", small, "--out", place)
    assert code == 2
    assert f"{place}: cannot be written" in said
    assert "choose another place with --out DIR." in said


def test_folder_that_is_no_run_is_left_alone(bench: Bench, small: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    code, _, said = bench("run", small, "--out", tmp_path)
    assert (code, said) == (
        2,
        f"bench: {tmp_path}: is not empty and is no run directory; choose another with --out DIR.\n",
    )
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_run_directory_held_by_a_live_process_is_refused(bench: Bench, small: Path, tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run").locked():
        code, _, said = bench("run", small, "--out", tmp_path / "run")
    assert code == 2
    assert "is running in this directory; wait for it or choose another with --out DIR." in said


def test_disk_that_fills_up_in_mid_run_loses_nothing_that_was_finished(
    bench: Bench, small: Path, tmp_path: Path
) -> None:
    """A limit on the size of a file stands in for the full disk; the ledger is the first to reach it."""
    small.write_text(
        SMALL.replace("max_trials: 2", "max_trials: 40").replace("popularity]", "popularity, surprise/svd]")
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        code, _, said = bench("run", small, "--out", tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2
    assert (
        "the disk is full; what is finished is saved. Free some space and run the same command again." in said
    )
    done = [
        line for line in (tmp_path / "run" / "ledger.jsonl").read_text().splitlines() if '"close"' in line
    ]
    assert done
    assert bench("run", small, "--out", tmp_path / "run", "--quiet")[0] == 0
    lines = (tmp_path / "run" / "ledger.jsonl").read_text().splitlines()
    assert [line for line in lines if '"close"' in line][: len(done)] == done


def test_interrupt_while_data_is_read_is_no_traceback(
    bench: Bench, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.runner.data.open_log", interrupted)
    code, _, said = bench("run", small, "--out", tmp_path / "run")
    assert code == 130
    assert said.startswith("bench: stopped: 0 trials and 0 finals are saved in ")
    assert "The same command goes on from here." in said


def test_dry_run_finds_the_broken_model_and_keeps_nothing(
    bench: Bench, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ADAPTERS, "fake/crashing", "fakes:Crashing")
    small.write_text(SMALL.replace("popularity]", "popularity, fake/crashing]"))
    code, shown, _ = bench("run", small, "--dry-run", "--out", tmp_path / "run")
    assert code == 2
    rows = {line.split()[0]: line for line in shown.splitlines() if line.startswith("planted/")}
    assert " NO " in rows["planted/fake/crashing"]
    assert "ZeroDivisionError: the planted crash" in rows["planted/fake/crashing"]
    assert " yes " in rows["planted/baselines/popularity"]
    assert not (tmp_path / "run").exists()


class Publisher(BaseHTTPRequestHandler):
    """Answers each path as its first part says."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        behaviour = self.path.split("/")[1]
        if behaviour == "gone":
            self.send_error(404)
        elif behaviour == "hangs":
            self.server.over.wait(10)
        else:
            self.send_response(200)
            content = b"0" * 32 if self.path.endswith(".md5") else b"not what was asked for"
            self.send_header("Content-Length", str(len(content) + 100_000 * (behaviour == "cut")))
            self.end_headers()
            self.wfile.write(content)


@pytest.fixture
def publisher() -> Iterator[str]:
    """The address of a publisher that misbehaves."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.over = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("gone", "404"),
        ("hangs", "did not answer (timed out after 0.3 s)"),
        ("cut", "broke off"),
        ("lies", "checksum"),
    ],
)
@pytest.mark.parametrize("verb", ["run", "fetch"])
def test_download_that_fails_is_one_message_that_says_what_to_do(  # noqa: PLR0917 - fixtures and cases
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    publisher: str,
    behaviour: str,
    words: str,
    verb: str,
) -> None:
    there = {"base_url": f"{publisher}/{behaviour}", "timeout_s": 0.3}
    monkeypatch.setattr("benchmark.runner.data.open_log", partial(open_log, **there))
    monkeypatch.setattr("benchmark.reporting.listings.fetch_known", partial(fetch, **there))
    suite = tmp_path / "real.yaml"
    suite.write_text("name: real\ndatasets: [movielens-100k]\nmodels: [baselines/popularity]\n")
    arguments = (
        ("run", suite, "--out", tmp_path / "run") if verb == "run" else ("data", "fetch", "movielens-100k")
    )
    code, _, said = bench(*arguments)
    assert code == 2
    assert said.startswith("bench: ")
    assert words in said


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
    assert "is no run directory (no manifest.json); `bench runs` lists those there are." in said


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
    run.note(state="running")
    for arguments in (("report", run.path), ("run", finished.parent / "small.yaml", "--out", run.path)):
        code, _, said = bench(*arguments)
        assert code == 2
        assert "ledger.jsonl: " in said


def test_runs_are_listed_with_how_they_ended(bench: Bench, finished: Path) -> None:
    code, shown, _ = bench("runs", "--results", finished.parent)
    assert code == 0
    assert shown.splitlines()[1].split()[1:] == ["small", "finished", "1", str(finished)]


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
    assert "At most 2m of tuning in all" in shown


@pytest.mark.parametrize("width", [80, 200])
def test_models_are_listed_whole_at_every_width(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    from rich.console import Console

    from benchmark import cli

    monkeypatch.setattr(cli, "_console", lambda **_: Console(width=width))
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


def test_data_list_says_what_is_here_and_how_to_get_the_rest(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").touch()
    code, shown, _ = bench("data", "list", "--data", tmp_path)
    assert code == 0
    assert str(tmp_path / "ml-100k") in shown
    assert "no: bench data fetch lastfm-hetrec2011" in shown


def test_data_check_shows_counts_and_what_the_audit_flags(bench: Bench, small: Path) -> None:
    code, shown, _ = bench("data", "check", small)
    assert code == 0
    assert "rows 400, users 40, items 30" in shown
    assert "overlap" in shown


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("fetch", "movielens-101k"),
            "no data set is called 'movielens-101k'; did you mean 'movielens-100k'?",
        ),
        (("fetch",), "bench data fetch needs the name of a data set"),
        (("check",), "bench data check needs the name of a suite"),
        (("check", "nosuch"), "nosuch: there is no such suite"),
    ],
)
def test_data_verbs_say_what_they_lack(bench: Bench, arguments: tuple[str, ...], complaint: str) -> None:
    code, _, said = bench("data", *arguments)
    assert code == 2
    assert said.startswith(f"bench: {complaint}")


def test_doctor_shows_this_machine_and_fails_where_a_library_is_missing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import adapters.torch.ease

    monkeypatch.setattr(adapters.torch.ease.Ease, "requires", ("no_torch",))
    code, shown, _ = bench("doctor")
    assert code == 2
    assert "cores" in shown
    assert "needs no_torch: pip install 'recsys-bench[torch]'" in shown


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
