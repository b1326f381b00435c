"""What does not fit into a slot is told beforehand, costs nothing, and is never started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adapters import ADAPTERS
from benchmark import runner
from benchmark.errors import AdapterError
from benchmark.leaderboard import board, ranked_results
from benchmark.modelkit.footprints import counts_alone
from benchmark.protocol import Interactions, Needs, Range, Space
from benchmark.records import DOES_NOT_FIT, StudyClosed, TrialRecord
from benchmark.registry import Adapter, Registry
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions, dry_run
from benchmark.runner.plan import Study, plan
from benchmark.runner.plan_suite import plan_suite
from benchmark.runner.room import Room, foretold, needs_of, never_fits, shortfall
from benchmark.selection import pick
from benchmark.suite import Suite

Make = Callable[..., Suite]


@dataclass
class Listening(runner.Silent):
    """Keeps what was said."""

    heard: list[str]

    def said(self, *words: Any, **_: Any) -> None:
        self.heard += [word for word in words if isinstance(word, str)]


def run(suite: Suite, fakes: Registry, out: Path, heard: list[str] | None = None) -> RunDirectory:
    return runner.run(suite, fakes, RunOptions(out=out), Listening([] if heard is None else heard))


def trials_of(run_dir: RunDirectory) -> list[TrialRecord]:
    return [one for one in run_dir.records() if isinstance(one, TrialRecord)]


def ending_of(run_dir: RunDirectory, model: str) -> StudyClosed:
    return next(one for one in run_dir.records() if isinstance(one, StudyClosed) and one.model == model)


def study_of(adapter: type, space: Space | None = None) -> Study:
    target = Adapter("fake/one", f"{adapter.__module__}:{adapter.__qualname__}")
    target.__dict__["cls"] = adapter
    return Study("toy", "fake/one", target, space or {}, target.defaults, None, None, 60.0)


def test_model_that_never_fits_has_a_row_with_the_figures_and_is_charged_nothing(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    heard: list[str] = []
    run_dir = run(suite(models=["fake/fixed", "fake/vast"]), fakes, tmp_path / "run", heard)
    ended = ending_of(run_dir, "fake/vast")
    figures = (
        "fake/vast needs 64 GB for 40 users and 30 items (360 rows of gold); "
        "the slot has 2 GB, of which 0.5 GB are for the process itself"
    )
    assert (ended.status, ended.unused_s) == ("does-not-fit", 600.0)
    assert ended.reason.partition(" (")[0] == figures.partition(" (")[0]
    assert ended.reason.partition("gold")[2] == figures.partition("gold")[2]
    assert any("fake/vast: does not fit: fake/vast needs 64 GB" in line for line in heard)
    assert {trial.model for trial in trials_of(run_dir)} == {"fake/fixed"}
    assert "[planted/fake/vast]" not in (run_dir / "log.txt").read_text("utf-8"), "its process was started"


def test_status_of_what_does_not_fit_is_on_the_board_in_its_csv_and_in_the_pick(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    run_dir = run(suite(models=["fake/fixed", "fake/vast"]), fakes, tmp_path / "run")
    shown = board(run_dir)
    row = next(row for row in shown.tables[0].rows if row.model == "fake/vast")
    assert (row.status, row.charged_s, row.trials, row.rank) == ("does-not-fit", 0.0, 0, None)
    frame = shown.to_pandas().set_index("model")
    assert frame.loc["fake/vast", "status"] == "does-not-fit"
    assert "needs 64 GB" in frame.loc["fake/vast", "reason"]
    assert any(
        "fake/vast: does-not-fit: fake/vast needs 64 GB" in note.text for note in shown.tables[0].notes
    )
    decision = pick(ranked_results(run_dir, dataset="planted"))
    (vast,) = [one for one in decision.assessments if one.model == "fake/vast"]
    assert vast.misses[0].startswith("does-not-fit: fake/vast needs 64 GB")


def test_configurations_that_do_not_fit_are_pruned_and_the_study_goes_on(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    run_dir = run(suite(models=["fake/roomy"], finals={"seeds": 1}), fakes, tmp_path / "run")
    first, *rest = trials_of(run_dir)
    assert first.outcome == "complete"
    assert [trial.trial for trial in rest] == [1, 2, 3, 4, 5]
    misfits = [trial for trial in rest if trial.outcome == DOES_NOT_FIT]
    assert misfits
    assert {(trial.charged_s, trial.value) for trial in misfits} == {(0.0, None)}
    assert all(trial.config["gigabytes"] > 1.5 for trial in misfits)  # type: ignore[operator]
    assert all("for 30 items" in trial.reason for trial in misfits)
    assert ending_of(run_dir, "fake/roomy").status == "ok"


def test_study_ends_after_the_default_and_two_more_that_do_not_fit(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    heard: list[str] = []
    run_dir = run(suite(models=["fake/oversized"]), fakes, tmp_path / "run", heard)
    trials = trials_of(run_dir)
    assert [trial.outcome for trial in trials] == [DOES_NOT_FIT] * 3
    assert sum(trial.charged_s for trial in trials) == 0.0
    ended = ending_of(run_dir, "fake/oversized")
    assert (ended.status, ended.reason) == ("does-not-fit", trials[0].reason)
    assert any("its default does not fit, others are tried: fake/oversized" in line for line in heard)


def test_study_of_one_trial_that_does_not_fit_says_so_and_asks_for_no_budget(
    suite: Make, fakes: Registry, tmp_path: Path
) -> None:
    wanted = suite(models=["fake/oversized"], budget={"max_trials": 1})
    run_dir = run(wanted, fakes, tmp_path / "run")
    (trial,) = trials_of(run_dir)
    ended = ending_of(run_dir, "fake/oversized")
    assert (ended.status, ended.reason) == ("does-not-fit", trial.reason)


def test_plan_and_dry_run_say_it_beforehand(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    wanted = suite(models=["fake/fixed", "fake/vast"])
    misfits = plan_suite(wanted, fakes, None, tmp_path).misfits
    assert list(misfits) == ["planted/fake/vast"]
    assert misfits["planted/fake/vast"].startswith("does not fit: fake/vast needs 64 GB for 40 users")
    fixed, vast = dry_run(wanted, fakes, RunOptions())
    assert fixed.ok
    assert not vast.ok
    assert vast.what == misfits["planted/fake/vast"]


@dataclass
class Growing:
    """Needs a gigabyte for each of ``dim``, and as much of a GPU."""

    dim: int = 8
    space: ClassVar[Space] = {"dim": Range(1, 8)}
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    fit_steps = score = None

    def needs(self, _: Interactions) -> Needs:
        return Needs(self.dim * 2**30, self.dim * 2**31)


LOG = counts_alone(n_users=100, n_items=50, rows=1000)


def test_corner_of_the_space_that_fits_keeps_a_study_alive() -> None:
    study = study_of(Growing, Growing.space)
    assert never_fits(study, LOG, Room(4096.0)) is None
    assert shortfall(study, study.default, LOG, Room(4096.0)) is not None
    narrow = replace(study, space={"dim": Range(6, 8)})
    assert never_fits(narrow, LOG, Room(4096.0)) == (
        "fake/one needs 8 GB for 100 users and 50 items; "
        "the slot has 4 GB, of which 0.5 GB are for the process itself"
    )
    assert foretold(study, LOG, Room(16384.0)) is None


def test_memory_of_a_gpu_counts_where_the_slot_has_one() -> None:
    study = study_of(Growing)
    assert shortfall(study, {"dim": 2}, LOG, Room(16384.0, gpu_mb=8192.0)) is None
    assert shortfall(study, {"dim": 5}, LOG, Room(16384.0, gpu_mb=8192.0)) == (
        "fake/one needs 10 GB of the GPU's memory for 100 users and 50 items; the slot's GPU has 8 GB"
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: 10**9, "needs() returned 1000000000, expected Needs"),
        (lambda _: Needs(float("nan")), "finite bytes"),
        (lambda train: Needs(train.no_such), "needs() failed: AttributeError"),
    ],
)
def test_needs_that_say_nothing_are_refused(answer: Any, words: str) -> None:
    @dataclass
    class Wrong(Growing):
        def needs(self, train: Interactions) -> Needs:
            return answer(train)  # type: ignore[no-any-return]

    with pytest.raises(AdapterError) as refused:
        needs_of(study_of(Wrong), {}, LOG)
    assert words in str(refused.value)


def test_ease_of_59047_items_says_what_it_needs(suite: Make) -> None:
    ours = Registry(ADAPTERS)
    (study,) = plan(
        Suite.model_validate({"name": "x", "datasets": ["movielens-25m"], "models": ["native/ease"]}),
        ours,
        "movielens-25m",
    )
    log = counts_alone(n_users=162_541, n_items=59_047, rows=6_000_000)
    said = never_fits(study, log, Room(10240.0))
    assert said is not None
    assert "59,047 x 59,047" in said
    assert "the slot has 10 GB" in said
