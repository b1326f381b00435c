"""The Python calls: what they take, what they return, and how a notebook shows it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import yaml
from command_line import LOG, OWN, SMALL

import benchmark
from benchmark import api
from benchmark.errors import BundleError, DataError, PickError, SourceError, SuiteError
from benchmark.suite import Suite

CONTENT = yaml.safe_load(SMALL)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> api.Run:
    """A finished run of the small suite, made from a mapping."""
    return api.run(CONTENT, out=tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def test_suite_may_be_a_path_a_text_a_mapping_or_a_suite_that_was_checked(small: Path) -> None:
    suites = [api.check(given) for given in (small, str(small), CONTENT, api.check(small))]
    assert [suite.model_dump() for suite in suites] == 4 * [suites[0].model_dump()]
    assert [suite.source for suite in suites] == [small, small, None, small]


def test_bare_name_means_a_suite_that_ships() -> None:
    suite = api.check("quickstart")
    assert suite.source is not None
    assert (suite.name, suite.source.name) == ("quickstart", "quickstart.yaml")


def test_arguments_win_over_the_suite_whatever_form_it_has(small: Path) -> None:
    for given in (small, CONTENT, api.check(small)):
        suite = api.check(given, budget="30s", seeds=3, models=["baselines/popularity"])
        assert (suite.budget.per_model, suite.budget.max_trials, suite.finals.seeds) == (30.0, 2, 3)
        assert suite.finals.train_on == "train"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"budget": "abc"}, "arguments: budget.per_model: must be a duration such as 45s"),
        ({"seeds": 0}, "arguments: finals.seeds: must be greater than or equal to 1"),
        ({"models": []}, "models: must name at least one model of the suite"),
        ({"models": ["popularity"]}, "small: there is no model 'popularity'; did you mean"),
    ],
)
def test_argument_that_cannot_be_is_named(arguments: dict[str, object], complaint: str) -> None:
    with pytest.raises(SuiteError) as caught:
        api.check(CONTENT, **arguments)
    assert str(caught.value).startswith(complaint)


def test_mapping_that_is_no_suite_gets_every_complaint_without_a_line() -> None:
    with pytest.raises(SuiteError) as caught:
        api.check({"name": "s", "datasets": ["planted"], "models": ["native/eese"], "seeed": 1})
    assert str(caught.value).splitlines() == [
        "suite: models[0]: no adapter is called 'native/eese'; did you mean 'native/ease'?",
        "suite: seeed: unknown key; did you mean 'seed'?",
    ]


def test_files_beside_a_suite_are_found_from_anywhere_once_it_is_checked(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "own.yaml").write_text(OWN.format(keys=", value: rating", more=""))
    suite: Suite = api.check(tmp_path / "own.yaml", budget="1s")
    assert suite.folder == tmp_path
    (one,) = api.audit(suite)
    assert one.n_users == 12


@pytest.mark.parametrize(
    ("keys", "statuses"),
    [
        ("", {"baselines/popularity": None, "surprise/svd": "n/a", "content/tfidf": "n/a"}),
        (", value: rating, scale: [1, 5]", {"surprise/svd": None, "content/tfidf": "n/a"}),
        (", titles: {path: items.csv, item: id}", {"surprise/svd": "n/a", "content/tfidf": None}),
    ],
)
def test_plan_promises_no_study_that_the_run_would_exclude(
    tmp_path: Path, keys: str, statuses: dict[str, str | None]
) -> None:
    text = OWN.format(keys=keys, more="").replace("popularity]", "popularity, surprise/svd, content/tfidf]")
    (tmp_path / "own.yaml").write_text(text)
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "items.csv").write_text("id,title\n" + "".join(f"i{i},Title {i}\n" for i in range(10)))
    planned = {study.model: study.excluded for study in api.plan(tmp_path / "own.yaml", budget="1s")}
    assert {name: found and found.status for name, found in planned.items() if name in statuses} == statuses
    made = {step.study: step for step in api.dry_run(tmp_path / "own.yaml")}
    excluded = {f"shop/{name}": found.reason for name, found in planned.items() if found is not None}
    assert {name: made[name].what for name in excluded} == excluded
    assert all(step.first_step_s is not None for name, step in made.items() if name not in excluded)


def test_run_returns_its_path_and_its_board(finished: api.Run) -> None:
    assert (finished.path / "leaderboard.csv").is_file()
    assert [row.model for row in finished.board.rows()] == ["baselines/popularity"]


def test_run_stands_for_its_path_in_every_call(finished: api.Run) -> None:
    assert api.report(finished).suite == api.report(finished.path).suite == "small"
    assert [row.difference for row in api.diff(finished, finished).rows] == [0.0]


def test_run_is_written_in_one_line_and_shown_as_its_board_in_a_notebook(finished: api.Run) -> None:
    assert repr(finished) == f"<Run {finished.path}>"
    assert "baselines/popularity" in finished._repr_html_()


def test_runs_are_those_below_a_folder(finished: api.Run, tmp_path: Path) -> None:
    assert api.runs(finished.path.parent) == [finished]
    assert api.runs(tmp_path) == []


@pytest.mark.parametrize("jobs", [0, -1])
def test_jobs_below_one_are_refused_before_anything_is_made(tmp_path: Path, jobs: int) -> None:
    with pytest.raises(SuiteError, match=f"jobs: must be 1 or more \\(found {jobs}\\)"):
        api.run(CONTENT, out=tmp_path / "run", jobs=jobs)
    assert not (tmp_path / "run").exists()


def test_folder_of_data_sets_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    for call in (api.data, lambda folder: api.audit(CONTENT, data=folder)):
        with pytest.raises(DataError, match="data: there is no folder"):
            call(tmp_path / "none")


def test_pick_returns_the_model_and_its_record(finished: api.Run) -> None:
    picked = finished.pick(max_latency_ms=1e6, min={"recall@5": 0.0})
    assert (picked.model, picked.bundle) == ("baselines/popularity", None)
    assert picked.record == finished.path / "pick.md"
    assert repr(picked) == f"<Pick baselines/popularity: {picked.record}>"
    assert "recall@5 ≥ 0" in str(picked)


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"max_latency_ms": 0.0}, "latency_ms_p95 is "),
        ({"max_memory_mb": 0.5}, "over the limit of 0.5"),
        ({"max_size_mb": 0.0}, "size_mb is "),
        ({"min": {"ndcg@5": 2}}, "under the limit of 2"),
        ({"min": {"ndgc@5": 0.1}}, "did you mean 'ndcg@5'"),
        ({"max": {"ndcg@5": 0.1}}, "higher ndcg@5 is better"),
        ({"device": "cuda"}, "measured on cpu, not on cuda"),
        ({"max_size_mb": float("nan")}, "must be a finite number"),
    ],
)
def test_pick_that_cannot_be_met_says_why(
    finished: api.Run, limits: dict[str, object], complaint: str
) -> None:
    with pytest.raises(PickError) as caught:
        finished.pick(**limits)
    assert complaint in str(caught.value)


def test_pick_is_shown_in_a_notebook_with_names_that_cannot_break_out_of_it(
    finished: api.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.selection.as_text", lambda _: "Picked: <script>")
    assert finished.pick()._repr_html_() == "<pre>Picked: &lt;script&gt;</pre>"


def test_run_and_function_pick_by_the_same_keywords() -> None:
    own, function = (inspect.signature(call).parameters for call in (api.Run.pick, api.pick))
    assert list(own.values())[1:] == list(function.values())[1:]


def test_exported_bundle_recommends_to_known_and_new_users(finished: api.Run, tmp_path: Path) -> None:
    picked = finished.pick(export=tmp_path / "best")
    assert picked.bundle == tmp_path / "best"
    assert picked.record == finished.path / "pick.md"
    assert (tmp_path / "best" / "pick.md").read_text() == picked.record.read_text()
    assert all(check.ok for check in api.verify(picked.bundle))
    bundle = benchmark.load(picked.bundle)
    assert isinstance(bundle, benchmark.Bundle)
    assert repr(bundle) == "<Bundle baselines/popularity: 40 users, 30 items>"
    users, items = bundle.user_ids[:2], bundle.item_ids[:2]
    assert api.recommend(picked.bundle, users, 3) == bundle.recommend(users, 3)
    assert api.recommend(picked.bundle, history=items) == [bundle.recommend_new(items)]
    with pytest.raises(BundleError, match="a history is that of one user"):
        api.recommend(picked.bundle, users, history=items)


def test_models_are_listed_by_name_and_found_by_name() -> None:
    names = [model.name for model in api.models()]
    assert names == sorted(names)
    assert [model.name for model in api.models("native/ease", "baselines/random")] == [
        "native/ease",
        "baselines/random",
    ]


def test_data_sets_are_known_with_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").touch()
    folders = {local.known.name: local.folder for local in api.data(tmp_path)}
    assert folders["movielens-100k"] == tmp_path / "ml-100k"


def test_fetching_what_no_publisher_has_is_refused() -> None:
    with pytest.raises(SourceError, match="did you mean 'movielens-100k'"):
        api.fetch("movielens-101k")


def test_progress_is_told_to_the_watcher(tmp_path: Path) -> None:
    told: list[str] = []

    class Watcher:
        def __getattr__(self, name: str) -> object:
            return lambda *_: told.append(name)

    api.run(CONTENT, out=tmp_path / "run", watcher=Watcher())
    assert {"said", "planned", "trial", "study_closed", "final"} <= set(told)


def test_doctor_knows_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import adapters.torch.mf

    monkeypatch.setattr(adapters.torch.mf.Mf, "requires", ("no_torch",))
    diagnosis = api.doctor()
    assert diagnosis.missing["torch/mf"] == ["no_torch"]
    assert not diagnosis.ok
    assert "recsys-bench[" in diagnosis.install


def test_a_suite_that_is_checked_again_says_no_more_than_it_said():
    """A known data set's own ways hold where the suite is silent; a copy must not speak for it."""
    suite = api.check({"name": "x", "datasets": ["retailrocket"], "models": ["baselines/popularity"]})
    again = api.check(suite)
    assert again.prepare.model_fields_set == suite.prepare.model_fields_set == set()
    assert again.datasets[0].model_fields_set == {"name"}
