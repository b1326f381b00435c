"""What a user can get wrong: one clear message, exit code 2, no traceback, and nothing lost."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_line import LOG, OWN, SMALL, Bench

from adapters import ADAPTERS
from benchmark import runner
from benchmark.api import check
from benchmark.api.adapters import registry
from benchmark.datasets.sources.known import KNOWN
from benchmark.results import RunDirectory
from benchmark.runner.resume import locate_run, new_run


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ("--budget abc", "bench: command line: budget.per_model: must be a duration such as 45s, 2m or 1h"),
        ("--budget 0", "bench: command line: budget.per_model: must be greater than 0 (found 0.0)"),
        ("--budget=-3s", "bench: command line: budget.per_model: must be greater than 0 (found -3.0)"),
        ("--seeds 0", "bench: command line: finals.seeds: must be greater than or equal to 1 (found 0)"),
        ("--jobs 0", "bench: jobs: must be 1 or more (found 0)"),
        ("--models ,", "bench: models: must name at least one model"),
        (
            "--data /nowhere/at/all",
            "bench: data: there is no folder /nowhere/at/all; give the one that holds",
        ),
    ],
)
def test_flag_that_cannot_be_is_refused_before_anything_is_made(
    bench: Bench, small: Path, tmp_path: Path, flags: str, complaint: str
) -> None:
    code, _, said = bench("run", small, "--out", tmp_path / "run", *flags.split())
    assert code == 2
    assert said.startswith(complaint)
    assert not (tmp_path / "run").exists()


def test_unknown_model_names_the_nearest_of_the_suite_and_nothing_is_made(
    bench: Bench, small: Path, tmp_path: Path
) -> None:
    said = bench("run", small, "--out", tmp_path / "run", "--models", "baselines/popularty")[2]
    assert said == (
        f"bench: {small}: there is no model 'baselines/popularty'; did you mean 'baselines/popularity'?\n"
        "  The suite has: baselines/popularity; `bench models` lists all others.\n"
    )
    assert not (tmp_path / "run").exists()


def test_former_name_of_a_model_is_refused_with_the_present_one(bench: Bench, small: Path) -> None:
    suite = small.with_name("native.yaml")
    suite.write_text(small.read_text().replace("baselines/popularity", "native/slim, torch/fm"))
    said = bench("run", suite, "--models", "torch/slim")[2]
    assert f"bench: {suite}: there is no model 'torch/slim'; did you mean 'native/slim'?\n" in said


@pytest.mark.parametrize("command", ["run", "check", "plan"])
def test_missing_suite_is_refused_by_every_command_that_takes_one(bench: Bench, command: str) -> None:
    code, _, said = bench(command, "movielenz")
    assert code == 2
    assert said.startswith(
        "bench: movielenz: there is no such suite; did you mean 'movielens'?\n  Suites that ship with bench: "
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
            "log.csv:122: column 'rating' has 'good' instead of a number",
        ),
        (
            LOG + "u1,i1,3\n",
            ", value: rating",
            "",
            "every pair must occur once\n  Say what to do with prepare.",
        ),
        ("user,item\n" + "".join(f"u,i{i}\n" for i in range(20)), "", "", "shop: there is only one user (u)"),
        ("", "", "", "log.csv: the file is empty; it must contain one line per row"),
        ("user,item\n", "", "", "log.csv: no rows; it must contain one line per row"),
        (LOG, ", value: rating, scale: [1, 4]", "", "all values must lie on the scale 1 to 4"),
        (LOG, "", "split: {by: global_time}", "a global_time split needs times, and the log has none"),
        (LOG, "", "split: {by: leave_last_out}", "a leave_last_out split needs times, and the log has none"),
        (LOG, "", "prepare: {positive: '>= 3'}", "positive: '>= 3' needs values, and the log has none"),
        (LOG, ", value: rating", "prepare: {positive: '>= 9'}", "no row is positive"),
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


def test_k_above_the_catalogue_is_refused_and_the_corrected_suite_starts_in_the_same_folder(
    bench: Bench, small: Path, tmp_path: Path
) -> None:
    small.write_text(SMALL.replace("ndcg@5", "ndcg@31"))
    code, _, said = bench("run", small, "--out", tmp_path / "run")
    assert (code, said) == (
        2,
        "bench: planted: metric 'ndcg@31': k is 31; k must be between 1 and the 30 items\n",
    )
    suite = check(small.with_name("small.yaml"), {"metrics": {"primary": "ndcg@5"}})
    place = locate_run(suite, tmp_path, tmp_path / "run", fresh=False)
    assert new_run(suite, place.path).path == tmp_path / "run"
    assert not list((tmp_path / "run" / "splits").glob("*"))


def test_missing_libraries_are_all_listed_before_anything_is_made(
    bench: Bench, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import adapters.lightfm
    import adapters.torch.mf

    monkeypatch.setattr(adapters.lightfm.Warp, "requires", ("no_lightfm",))
    monkeypatch.setattr(adapters.torch.mf.Mf, "requires", ("no_torch",))
    small.write_text(SMALL.replace("popularity]", "popularity, lightfm/warp, torch/mf]"))
    code, _, said = bench("run", small, "--out", tmp_path / "run")
    assert code == 2
    assert "lightfm/warp needs no_lightfm, which is not installed\ntorch/mf needs no_torch" in said
    assert "pip install 'recsys-bench[lightfm,torch]', or skip them: --skip-missing" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("folder", ["/proc/nowhere/run", "/dev/full/run", "/dev/null", "x" * 300])
def test_folder_that_cannot_be_written_is_refused(bench: Bench, small: Path, folder: str) -> None:
    code, _, said = bench("run", small, "--out", folder)
    assert code == 2
    assert f"{folder}: cannot be written" in said
    assert "choose another with --out DIR." in said


@pytest.mark.parametrize("holds", ["thesis.tex", "models/weights.bin", ".git/config"])
def test_folder_that_is_no_run_is_left_alone(bench: Bench, small: Path, tmp_path: Path, holds: str) -> None:
    (tmp_path / "own" / holds).parent.mkdir(parents=True)
    (tmp_path / "own" / holds).write_text("precious")
    code, _, said = bench("run", small, "--out", tmp_path / "own")
    assert code == 2
    assert said.endswith("own: not empty, and not a run directory; choose another with --out DIR.\n")
    assert (tmp_path / "own" / holds).read_text() == "precious"


def test_run_directory_held_by_a_live_process_is_refused(bench: Bench, small: Path, tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", check(small), "2026-11-30T12:00:00+00:00")
    with run.locked():
        code, _, said = bench("run", small, "--out", tmp_path / "run")
    assert code == 2
    assert "is running in this directory; wait for it or choose another with --out DIR." in said


def test_disk_that_fills_up_in_mid_run_loses_nothing_that_was_finished(
    bench: Bench, small: Path, tmp_path: Path
) -> None:
    """A limit on the size of a file stands in for the full disk; the ledger is the first to reach it."""
    small.write_text(
        SMALL.replace("max_trials: 2", "max_trials: 12").replace("popularity]", "popularity, surprise/svd]")
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, before[1]))
    try:
        code, _, said = bench("run", small, "--out", tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2
    assert (
        "the disk is full; everything finished is saved. Free some space and run the same command again."
        in said
    )
    done = closed_lines(tmp_path / "run")
    assert done
    runner.run(check(small), registry(), runner.RunOptions(out=tmp_path / "run"))
    assert closed_lines(tmp_path / "run")[: len(done)] == done


def closed_lines(run: Path) -> list[str]:
    """Return the lines of a ledger that commit a trial or a final."""
    return [line for line in (run / "ledger.jsonl").read_text().splitlines() if '-closed"' in line]


def test_interrupt_while_data_is_read_is_no_traceback(
    bench: Bench, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.runner.splits.open_log", interrupted)
    code, _, said = bench("run", small, "--out", tmp_path / "run")
    assert code == 130
    assert said.startswith("bench: stopped: 0 trials and 0 finals are saved in ")
    assert "Run the same command again to resume." in said


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
@pytest.mark.parametrize("command", ["run", "fetch"])
def test_download_that_fails_is_one_message_that_says_what_to_do(  # noqa: PLR0917 - fixtures and cases
    bench: Bench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    publisher: str,
    behaviour: str,
    words: str,
    command: str,
) -> None:
    elsewhere = replace(KNOWN["movielens-100k"], url=f"{publisher}/{behaviour}/ml-100k.zip")
    monkeypatch.setitem(KNOWN, "movielens-100k", elsewhere)
    monkeypatch.setattr("benchmark.datasets.sources.download.TIMEOUT_S", 0.3)
    suite = tmp_path / "real.yaml"
    suite.write_text("name: real\ndatasets: [movielens-100k]\nmodels: [baselines/popularity]\n")
    arguments = (
        ("run", suite, "--out", tmp_path / "run") if command == "run" else ("data", "fetch", "movielens-100k")
    )
    code, _, said = bench(*arguments)
    assert code == 2
    assert said.startswith("bench: ")
    assert words in said


@pytest.mark.parametrize("command", ["check", "plan"])
def test_hyperparameter_outside_its_search_range_is_said_beside_the_output(
    bench: Bench, small: Path, command: str
) -> None:
    small.write_text(SMALL.replace("[baselines/popularity]", "[{use: native/ease, set: {l2: 1e-3}}]"))
    code, shown, said = bench(command, small)
    assert code == 0
    assert "within which" not in shown
    line = "models[0].set.l2: 0.001 lies outside 1..10000 log, within which native/ease is tuned"
    assert said.startswith(f"bench: {small}:6: {line}\n")


def test_run_says_it_at_its_start_and_goes_on(bench: Bench, small: Path, tmp_path: Path) -> None:
    recent = "[{use: baselines/recent-popularity, set: {half_life: 0.5}}]"
    small.write_text(SMALL.replace("[baselines/popularity]", recent))
    code, _, said = bench("run", small, "--out", tmp_path / "run", "--quiet")
    assert code == 0
    assert "models[0].set.half_life: 0.5 lies outside 1..3650 log" in said


def test_fresh_and_follow_exclude_each_other(bench: Bench, small: Path, tmp_path: Path) -> None:
    code, _, said = bench("run", small, "--out", tmp_path / "run", "--fresh", "--follow")
    assert (code, said) == (2, "bench: --fresh starts anew and --follow goes on; give one of them\n")
