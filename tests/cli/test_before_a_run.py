"""What is said of a log before anything is spent: by `plan`, by `data check`, and by a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Bench

HEAD = """
name: shop
datasets: [{{name: shop, path: log.csv, time: time{keys}}}]
models: [baselines/popularity]
{more}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes a log and a suite, and returns the suite's path; runs stay beside it."""
    monkeypatch.chdir(tmp_path)

    def write(rows: list[str], keys: str = "", more: str = "") -> Path:
        (tmp_path / "log.csv").write_text("\n".join(["user,item,stars,time", *rows]) + "\n")
        (tmp_path / "shop.yaml").write_text(HEAD.format(keys=keys, more=more))
        return tmp_path / "shop.yaml"

    return write


def healthy(users: int = 120, stars: int = 5) -> list[str]:
    """Lines of users with six items of twenty each."""
    return [
        f"u{u},{(u * 7 + step * 3) % 20},{1 + (u + step) % stars},{1_700_000_000 + u * 60 + step}"
        for u in range(users)
        for step in range(6)
    ]


def test_plan_opens_the_log_and_says_whom_the_split_judges_and_keeps_nothing(bench: Bench, shop) -> None:
    suite = shop(healthy())
    before = sorted(suite.parent.rglob("*"))
    code, shown, _ = bench("plan", suite)
    assert code == 0
    assert "shop: by this split (random) 120 of 120 users can be judged" in shown
    assert "warning" not in shown
    assert sorted(suite.parent.rglob("*")) == before


@pytest.mark.parametrize("command", [("plan",), ("data", "check"), ("run",), ("run", "--dry-run")])
def test_one_row_a_user_is_refused_by_every_command(bench: Bench, shop, command: tuple[str, ...]) -> None:
    suite = shop([f"{row},{row % 9},3,{1_700_000_000 + row}" for row in range(50)])
    code, _, said = bench(*command, suite)
    assert code == 2
    assert "shop: 0 of 50 users have the 3 rows that this rule needs, the most is 1;" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", [("plan",), ("data", "check"), ("run",), ("run", "--dry-run")])
@pytest.mark.parametrize("key", ["titles: {path: gone.csv}", "users: {path: gone.csv, texts: [about]}"])
def test_a_missing_table_is_a_message_in_every_command(
    bench: Bench, shop, command: tuple[str, ...], key: str
) -> None:
    code, _, said = bench(*command, shop(healthy(), f", {key}"))
    assert code == 2
    assert f"bench: shop: {key.partition(':')[0]}: " in said
    assert "gone.csv: no such file" in said


@pytest.mark.parametrize("command", [("plan",), ("data", "check")])
def test_few_users_a_wide_scale_and_a_word_for_nobody_are_warnings(
    bench: Bench, shop, command: tuple[str, ...]
) -> None:
    rows = [*healthy(40), *(f"None,{item},3,{1_700_000_000 + item}" for item in range(20))]
    code, shown, _ = bench(*command, shop(rows, ", value: stars, scale: [0, 100]"))
    assert code == 0
    text = " ".join(shown.split())
    assert "warning: user 'None' has 20 of 260 rows (7.7%)" in text
    assert "set missing_values: [None]" in text
    assert "warning: the scale is 0 to 100, and values go from 1 to 5" in text
    assert "warning: only 41 of 41 users can be judged" in text


@pytest.mark.parametrize("command", [("plan",), ("data", "check")])
def test_a_metric_that_cannot_differ_is_named_before_anything_is_spent(
    bench: Bench, shop, command: tuple[str, ...]
) -> None:
    code, shown, _ = bench(*command, shop(healthy(stars=1), ", value: stars, scale: [1, 5]"))
    assert code == 0
    assert "rmse: n/a: the same for every model: every rating is 1" in shown


def test_a_primary_metric_that_cannot_differ_is_a_warning_and_no_run_spends_on_it(bench: Bench, shop) -> None:
    suite = shop([f"{u},{i},3,{1_700_000_000 + i}" for u in range(30) for i in range(12)])
    fault = "ndcg@10, which ranks, is the same for every model: all that can be listed for a judged user is"
    for command in (("plan",), ("data", "check")):
        code, shown, _ = bench(*command, suite)
        assert code == 0
        assert f"warning: {fault}" in " ".join(shown.split())
    code, _, said = bench("run", suite)
    assert code == 2
    assert f"shop: {fault}" in said


def test_a_run_without_anything_to_find_in_validation_is_refused(bench: Bench, shop) -> None:
    rows = [f"{u},{i},{5 if i == 11 else 1},{1_700_000_000 + i}" for u in range(30) for i in range(u % 3, 12)]
    suite = shop(rows, ", value: stars", 'prepare: {positive: ">= 4"}\nsplit: {by: leave_last_out}')
    code, _, said = bench("run", suite)
    assert code == 2
    assert "no user has anything to find in validation, so nothing can be tuned for ndcg@10" in said


def test_plan_of_a_known_data_set_that_is_not_here_fetches_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.setattr("benchmark.datasets.sources.folders.default_cache", lambda: tmp_path / "cache")
    (tmp_path / "known.yaml").write_text(
        "name: known\ndatasets: [movielens-latest]\nmodels: [baselines/popularity]\n"
    )
    (tmp_path / "empty").mkdir()
    code, shown, _ = bench("plan", tmp_path / "known.yaml", "--data", tmp_path / "empty")
    assert code == 0
    assert "movielens-latest/baselines/popularity" in shown
    assert "movielens-latest: not on this machine" in shown


@pytest.mark.parametrize("command", [("plan",), ("data", "check")])
def test_plan_and_data_check_say_on_how_many_users_models_are_tuned_and_tested(
    bench: Bench, shop, command: tuple[str, ...]
) -> None:
    more = "metrics: {valid_users: 110}\nfinals: {users: 50}"
    code, shown, _ = bench(*command, shop(healthy(), more=more))
    assert code == 0
    assert "Tuned on 110 of 120 validation users (seed 42; standard error of a value about 0.0" in shown
    assert "Test values are of 50 of 120 test users" in shown


def test_check_says_what_the_numbers_of_users_mean(bench: Bench, shop) -> None:
    suite = shop(healthy(), more="metrics: {valid_users: 50}\nfinals: {users: 50}")
    code, shown, said = bench("check", suite)
    assert code == 0
    assert "valid_users: 50" in shown
    assert "bench: WARNING: finals.users: 50: where test has more users" in said
    assert "bench: WARNING: metrics.valid_users: 50: with fewer than 100 users" in said


def test_plan_says_what_auto_would_take_of_a_log_that_is_not_here(bench: Bench, shop) -> None:
    suite = shop(healthy())
    suite.write_text("name: a\ndatasets: [movielens-20m]\nmodels: [baselines/popularity]\n")
    code, shown, _ = bench("plan", suite)
    assert code == 0
    assert "movielens-20m: metrics.valid_users: auto takes 6,500 of at most 138,493 users" in shown
