"""A run follows its suite: twelve changes to a finished run, with what is kept and what is spent."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmark import runner
from benchmark.budget import spent_s
from benchmark.errors import RunError
from benchmark.leaderboard import Table, board
from benchmark.ledger import Ledger
from benchmark.records import FinalRecord, LedgerRecord, ReferenceNamed, StudyOpened, TrialRecord
from benchmark.registry import Registry
from benchmark.reporting import write_all
from benchmark.results import RunDirectory
from benchmark.runner import RunOptions
from benchmark.suite import Suite

Make = Callable[..., Suite]

MODELS = ("fake/fixed", {"use": "fake/steady", "name": "a"})
SLOW = {"use": "fake/steady", "name": "slow", "set": {"pause_s": 0.4, "max_epochs": 40}}
DATA = {"name": "planted", "synthetic": {"users": 40, "items": 30, "interactions": 400, "seed": 3}}


@dataclass
class Followed:
    """A finished run, and what each further run of a changed suite adds to its ledger."""

    suite: Make
    fakes: Registry
    path: Path
    heard: list[str] = field(default_factory=list)

    def run(self, *, follow: bool = False, **changes: Any) -> list[LedgerRecord]:
        """Run the suite with these changes; return the new lines of the ledger."""
        path = self.path / "ledger.jsonl"
        before = len(Ledger.read(path)) if path.exists() else 0
        watcher = runner.Silent()
        watcher.said = self.heard.append  # type: ignore[method-assign]
        options = RunOptions(out=self.path, follow=follow)
        run_dir = runner.run(self.suite(**{"models": MODELS, **changes}), self.fakes, options, watcher)
        write_all(board(run_dir), run_dir.path)
        return Ledger.read(path)[before:]

    @property
    def table(self) -> Table:
        """The board of now."""
        return board(RunDirectory(self.path)).tables[0]

    @property
    def notes(self) -> str:
        """What is said under it."""
        return "\n".join(note.text for note in self.table.notes)


@pytest.fixture
def followed(suite: Make, fakes: Registry, tmp_path: Path) -> Followed:
    """The small suite, finished."""
    found = Followed(suite, fakes, tmp_path / "run")
    found.run()
    return found


def spent(records: Sequence[LedgerRecord]) -> dict[str, Counter[str]]:
    """Return how many trials and finals were run of each model."""
    return {
        "trials": Counter(one.model for one in records if isinstance(one, TrialRecord)),
        "finals": Counter(one.model for one in records if isinstance(one, FinalRecord)),
    }


NOTHING: dict[str, Counter[str]] = {"trials": Counter(), "finals": Counter()}


def test_added_model_is_tuned_alone_and_the_board_is_made_anew(followed: Followed) -> None:
    added = {"use": "fake/steady", "name": "b"}
    found = spent(followed.run(models=[*MODELS, added]))
    # It is the same model under another name: only the second of two such has results of its own.
    assert found == {"trials": Counter(b=6), "finals": Counter(b=5)}
    assert {row.model for row in followed.table.ranked} == {"fake/fixed", "a", "b"}
    assert (followed.path / "boards" / "1" / "leaderboard.html").is_file()
    assert "b" not in (followed.path / "boards" / "1" / "leaderboard.csv").read_text().split(",")


def test_removed_model_costs_nothing_and_stays_counted(followed: Followed) -> None:
    full = {"use": "fake/steady", "name": "b", "set": {"pause_s": 0.01}}
    followed.run(models=[*MODELS, full])
    before = {row.model: row.p_vs_reference for row in followed.table.ranked}
    assert spent(followed.run(models=MODELS)) == NOTHING
    rows = {row.model: row for row in followed.table.ranked}
    assert set(rows) == {"fake/fixed", "a"}
    assert "Scored on test earlier: b (no row now). Holm counts" in followed.notes
    other = next(row for row in rows.values() if not row.is_reference)
    assert other.p_vs_reference is not None
    assert other.p_vs_reference <= 1
    assert before[other.model] is not None
    assert spent(followed.run(models=[*MODELS, full])) == NOTHING
    assert {row.model: row.p_vs_reference for row in followed.table.ranked} == before


def test_renamed_model_costs_nothing(followed: Followed) -> None:
    old = {row.model: row.value for row in followed.table.ranked}
    found = followed.run(models=["fake/fixed", {"use": "fake/steady", "name": "renamed"}])
    assert spent(found) == NOTHING
    new = {row.model: row.value for row in followed.table.ranked}
    assert new == {"fake/fixed": old["fake/fixed"], "renamed": old["a"]}
    assert "Scored on test earlier" not in followed.notes


def test_names_that_change_places_keep_their_results(followed: Followed) -> None:
    two = {"use": "fake/steady", "name": "b", "set": {"pause_s": 0.01}}
    followed.run(models=[*MODELS, two])
    old = {row.model: row.config for row in followed.table.ranked}
    swapped = [MODELS[0], {"use": "fake/steady", "name": "b"}, {**two, "name": "a"}]
    assert spent(followed.run(models=swapped)) == NOTHING
    new = {row.model: row.config for row in followed.table.ranked}
    assert (new["a"], new["b"]) == (old["b"], old["a"])


def test_model_that_is_set_otherwise_is_tuned_alone_and_its_former_row_stays_counted(
    followed: Followed,
) -> None:
    found = spent(followed.run(models=["fake/fixed", {**SLOW, "name": "a", "set": {"max_epochs": 2}}]))
    assert found == {"trials": Counter(a=6), "finals": Counter(a=5)}
    assert "a (as it was set or tuned before)" in followed.notes


def test_primary_metric_that_changes_tunes_all_anew_on_the_same_split(followed: Followed) -> None:
    split = followed.table.facts.split.hash
    found = spent(followed.run(metrics={"primary": "recall@5", "also": ["ndcg@5"]}))
    assert found["trials"] == Counter({"fake/fixed": 1, "a": 6})
    assert followed.table.facts.split.hash == split
    assert followed.table.primary == "recall@5"


def test_added_metric_is_measured_on_stored_lists(followed: Followed) -> None:
    metrics = {"primary": "ndcg@5", "also": ["recall@5", "coverage@5", "map@3", "mrr@5"]}
    found = followed.run(metrics=metrics)
    assert spent(found)["trials"] == Counter()
    finals = [one for one in found if isinstance(one, FinalRecord)]
    assert all(one.lists_of for one in finals), "nothing was fitted"
    assert spent_s(finals) == 0
    assert all(row.metrics["map@3"] is not None for row in followed.table.ranked)
    assert spent(followed.run()) == NOTHING, "what was measured before is there"


def test_metric_of_longer_lists_fits_finals_again(followed: Followed) -> None:
    found = followed.run(metrics={"primary": "ndcg@5", "also": ["ndcg@10"]})
    assert spent(found) == {"trials": Counter(), "finals": Counter({"fake/fixed": 2, "a": 5})}
    assert all(not one.lists_of for one in found if isinstance(one, FinalRecord))
    assert all(row.metrics["ndcg@10"] is not None for row in followed.table.ranked)


def test_more_seeds_add_finals_only(followed: Followed) -> None:
    assert spent(followed.run(finals={"seeds": 4})) == {"trials": Counter(), "finals": Counter(a=4)}
    assert {row.model: row.seeds for row in followed.table.ranked} == {"fake/fixed": 1, "a": 4}


def test_margin_that_changes_costs_nothing(followed: Followed) -> None:
    assert spent(followed.run(verdict={"margin": 0.1})) == NOTHING
    assert followed.table.facts.margin == 0.1


def test_split_that_changes_makes_all_anew_and_keeps_what_the_former_board_rests_on(
    followed: Followed,
) -> None:
    before = followed.table.facts.split
    stored = {
        path.name: path.read_bytes()
        for path in (followed.path / "splits" / "planted").iterdir()
        if path.is_file()
    }
    finals = {path.name: path.read_bytes() for path in (followed.path / "per_user").iterdir()}
    found = spent(followed.run(split={"seed": 7}))
    assert found == {
        "trials": Counter({"fake/fixed": 1, "a": 6}),
        "finals": Counter({"fake/fixed": 2, "a": 5}),
    }
    assert followed.table.facts.split.hash != before.hash
    aside = followed.path / "splits" / f"planted@{before.hash[:8]}"
    assert {path.name: path.read_bytes() for path in aside.iterdir() if path.is_file()} == stored
    assert (
        finals.items()
        <= {path.name: path.read_bytes() for path in (followed.path / "per_user").iterdir()}.items()
    )
    assert "Scored on test earlier" not in followed.notes, "that was another test"
    assert spent(followed.run()) == NOTHING
    assert followed.table.facts.split.hash == before.hash


def test_data_row_that_changes_makes_its_results_anew(followed: Followed) -> None:
    two = [DATA, {**DATA, "name": "other"}]
    found = spent(followed.run(datasets=two))
    assert found["trials"] == Counter({"fake/fixed": 1, "a": 6}), "the data set that was there is kept"
    changed = {**DATA, "synthetic": {**DATA["synthetic"], "seed": 4}}  # type: ignore[dict-item]
    assert spent(followed.run(datasets=[changed]))["trials"] == Counter({"fake/fixed": 1, "a": 6})
    assert spent(followed.run(datasets=[{**DATA, "name": "renamed"}])) == NOTHING


def test_adapter_that_changes_is_followed_only_if_asked(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = followed.fakes["fake/steady"]
    monkeypatch.setitem(vars(adapter), "source_hash", "0" * 64)
    with pytest.raises(RunError, match=r"fake/steady: its code was .*, is 00000000"):
        followed.run()
    found = spent(followed.run(follow=True))
    assert found == {"trials": Counter(a=6), "finals": Counter(a=5)}
    assert "a (as it was set or tuned before)" in followed.notes
    assert (followed.path / "boards" / "1" / "leaderboard.csv").is_file()


def test_larger_budget_goes_on_with_the_study(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    followed = Followed(suite, fakes, tmp_path / "run")
    first = followed.run(models=["fake/fixed", SLOW], budget={"per_model": "3s", "slot": {"gpu": "no"}})
    found = followed.run(models=["fake/fixed", SLOW], budget={"per_model": "8s", "slot": {"gpu": "no"}})
    (opened,) = [one for one in found if isinstance(one, StudyOpened) and one.model == "slow"]
    old, new = (
        [one for one in records if isinstance(one, TrialRecord) and one.model == "slow"]
        for records in (first, found)
    )
    assert opened.goes_on == old[0].study_key
    cut = [trial for trial in old if trial.was_cut]
    assert cut
    assert new[0].config == old[0].config, "the default, which the smaller budget had cut, comes first"
    again = [trial.config for trial in new][: len(cut)]
    assert all(config in [trial.config for trial in cut] for config in again), "then the others that it cut"
    assert [trial.trial for trial in [*old, *new]] == list(range(len(old) + len(new)))
    assert spent_s([*old, *new]) <= 8.5
    assert "slow (3s + 5s)" in followed.notes
    row = next(row for row in followed.table.ranked if row.model == "slow")
    assert row.charged_s == pytest.approx(spent_s([*old, *new]), abs=0.01)
    back = followed.run(models=["fake/fixed", SLOW], budget={"per_model": "3s", "slot": {"gpu": "no"}})
    assert not [one for one in back if isinstance(one, TrialRecord)], "the smaller budget's study is there"
    row = next(row for row in followed.table.ranked if row.model == "slow")
    assert row.charged_s == pytest.approx(spent_s(old), abs=0.01)


def test_budget_of_one_model_marks_its_row(followed: Followed) -> None:
    dear = {"use": "fake/steady", "name": "a", "budget": "20m"}
    followed.run(models=["fake/fixed", dear])
    assert "A budget of their own, not 10m: a 20m." in followed.notes


def test_reference_that_changes_after_test_says_so(followed: Followed) -> None:
    found = followed.run(models=["fake/fixed"])
    (named,) = [one for one in found if isinstance(one, ReferenceNamed)]
    assert named.model == "fake/fixed"
    assert named.instead_of == "a"
    assert f"The reference fake/fixed was named on {named.at[:10]} instead of a, by" in followed.notes


def test_change_that_was_interrupted_is_made_by_the_same_command(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (followed.path / "leaderboard.csv").read_bytes()

    def dies(*_: object) -> None:
        raise RunError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "write_suite", dies)
        with pytest.raises(RunError, match="no space left"):
            followed.run(models=["fake/fixed"])
    assert RunDirectory(followed.path).manifest().state == "running", "it is finished with neither suite"
    assert spent(followed.run(models=["fake/fixed"])) == NOTHING
    assert [row.model for row in followed.table.ranked] == ["fake/fixed"]
    kept = followed.path / "boards" / "1"
    assert (kept / "leaderboard.csv").read_bytes() == before
    assert "use: fake/steady" in (kept / "suite.yaml").read_text()


def test_suite_of_another_name_is_refused(followed: Followed) -> None:
    with pytest.raises(RunError, match="has a run of the suite small in it, and this suite is called large"):
        followed.run(name="large")


def test_new_folder_takes_over_copies_by_key(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    options = RunOptions(results=tmp_path)
    first = runner.run(suite(models=MODELS), fakes, options)
    before = {path: path.read_bytes() for path in first.path.rglob("*") if path.is_file()}
    other = {"use": "fake/steady", "name": "b", "set": {"pause_s": 0.01}}
    second = runner.run(suite(models=[*MODELS, other]), fakes, options)
    assert second.path != first.path
    trials = [one for one in second.records() if isinstance(one, TrialRecord)]
    old = [one for one in first.records() if isinstance(one, TrialRecord)]
    assert Counter(one.model for one in trials) - Counter(one.model for one in old) == Counter(b=6)
    assert {path: path.read_bytes() for path in before} == before
    assert (tmp_path / "small" / "latest").resolve() == second.path.resolve()
    assert not (tmp_path / "small" / "current").exists()
    shutil.rmtree(first.path)
    assert {row.model for row in board(second).tables[0].ranked} == {"fake/fixed", "a", "b"}


def test_orphans_of_a_live_run_are_not_taken_over(suite: Make, fakes: Registry, tmp_path: Path) -> None:
    options = RunOptions(results=tmp_path)
    first = runner.run(suite(models=MODELS), fakes, options)
    lines = (first / "ledger.jsonl").read_text().splitlines(keepends=True)
    opened = next(line for line in lines if '"trial-opened"' in line).replace("#0", "#99")
    (first / "ledger.jsonl").write_text("".join([*lines, opened]))
    second = runner.run(suite(models=["fake/fixed"]), fakes, options)
    assert "#99" not in (second / "ledger.jsonl").read_text()
