"""The pick: limits, rule, order, and a record that says why."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from ranked import results_of

from benchmark.datasets.manifest import UserSample
from benchmark.errors import PickError
from benchmark.leaderboard.margin import Loss
from benchmark.selection import Limit, PickOptions, as_json, as_markdown, as_text, pick, write_record
from benchmark.selection.limits import on_metric

USERS = np.random.default_rng(0).beta(2, 4, 600)
NOISE = np.random.default_rng(1).normal(0, 0.01, 600)
CHEAP = {"latency_ms_p50": 0.2, "latency_ms_p95": 0.4}
FAST = Limit("latency_ms_p95", 1.0)


def test_pick_cheaper_model_within_the_margin_wins(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS - 0.001 + NOISE}, {"small": CHEAP})
    decision = pick(results)
    assert (decision.winner, decision.outcome) == ("small", "cheapest")
    assert (
        decision.assessments[1].reason
        == "within the margin, but slower: 1 ms median latency (winner: 0.2 ms)"
    )


def test_pick_cheap_model_beyond_the_margin_loses_to_the_reference(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS * 0.9 + NOISE}, {"small": CHEAP})
    decision = pick(results)
    assert (decision.winner, decision.outcome) == ("big", "reference")
    assert "not shown to be non-inferior" in decision.assessments[1].reason
    assert any("Smallest detectable difference" in note and "0.0123" in note for note in decision.warnings)


def test_pick_model_equal_on_too_few_users_is_not_shown_to_be_good_enough(tmp_path):
    few, noise = USERS[:12], NOISE[:12] * 10
    results = results_of(tmp_path, {"big": few, "small": few + noise - noise.mean()}, {"small": CHEAP})
    assert pick(results).winner == "big"


def test_pick_rule_of_significance_takes_what_small_data_cannot_refuse_and_warns(tmp_path):
    few, noise = USERS[:12], NOISE[:12] * 10
    results = results_of(tmp_path, {"big": few, "small": few + noise - noise.mean() - 0.01}, {"small": CHEAP})
    decision = pick(results, PickOptions(rule="not-significantly-worse"))
    assert decision.winner == "small"
    assert any("rewards small data" in note for note in decision.warnings)


def test_pick_from_finals_on_a_sample_warns(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS - 0.001 + NOISE}, {"small": CHEAP})
    drawn = UserSample(users=300, of=9000, wanted=300, seed=1, sha256="")
    facts = replace(results.table.facts, split=replace(results.table.facts.split, test_sample=drawn))
    decision = pick(replace(results, table=replace(results.table, facts=facts)))
    assert any("300 of 9,000 test users" in note for note in decision.warnings)
    assert not any("test users" in note for note in pick(results).warnings)


def test_pick_rule_of_significance_refuses_the_significantly_worse(tmp_path):
    worse = CHEAP | {"p_vs_reference": 0.001}
    results = results_of(tmp_path, {"big": USERS, "small": USERS - 0.05}, {"small": worse})
    decision = pick(results, PickOptions(rule="not-significantly-worse"))
    assert decision.winner == "big"
    assert "significantly worse" in decision.assessments[1].reason


def test_pick_reference_beyond_the_limits_is_still_the_yardstick(tmp_path):
    scores = {"big": USERS, "near": USERS - 0.001 + NOISE, "far": USERS * 0.5}
    results = results_of(tmp_path, scores, {"near": CHEAP, "far": CHEAP})
    decision = pick(results, PickOptions((FAST,)))
    assert (decision.winner, decision.reference) == ("near", "big")
    assert decision.assessments[1].reason == "latency_ms_p95 is 2, 1 over the limit of 1"


def test_pick_nothing_near_the_excluded_reference_takes_the_best_on_validation_and_warns(tmp_path):
    scores = {"big": USERS, "mid": USERS * 0.8, "far": USERS * 0.5}
    results = results_of(tmp_path, scores, {"mid": CHEAP, "far": CHEAP | {"latency_ms_p50": 0.01}})
    decision = pick(results, PickOptions((FAST,)))
    assert (decision.winner, decision.outcome) == ("mid", "best within limits")
    assert any("not shown to be non-inferior" in note for note in decision.warnings)


def test_pick_no_model_within_the_limits_says_by_how_much_each_misses(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS}, {"small": {"latency_ms_p95": 1.5}})
    with pytest.raises(PickError, match="no model meets the limits") as caught:
        pick(results, PickOptions((FAST,)))
    assert "big: latency_ms_p95 is 2, 1 over the limit of 1" in str(caught.value)
    assert "small: latency_ms_p95 is 1.5, 0.5 over the limit of 1" in str(caught.value)
    assert caught.value.exit_code == 2


def test_pick_unmeasured_cost_does_not_meet_a_limit(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS}, {"small": {"size_mb": None}})
    decision = pick(results, PickOptions((Limit("size_mb", 20),)))
    assert decision.winner == "big"
    assert "was not measured" in decision.assessments[1].reason


def test_pick_model_measured_on_another_device_is_left_out(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS}, {"small": CHEAP | {"device": "cuda"}})
    assert pick(results).winner == "small"
    assert pick(results, PickOptions(device="cpu")).winner == "big"


def test_pick_latencies_within_a_tenth_of_a_millisecond_leave_the_choice_to_size(tmp_path):
    costs = {"a": {"latency_ms_p50": 0.02, "size_mb": 9.0}, "b": {"latency_ms_p50": 0.04, "size_mb": 3.0}}
    assert pick(results_of(tmp_path, {"a": USERS, "b": USERS}, costs)).winner == "b"


def test_pick_for_export_never_takes_a_model_without_stored_state(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS}, {"small": CHEAP})
    assert pick(results).winner == "small"
    stateless = replace(results.finals["small"].test, state_path=None, state_sha256=None)
    finals = {**results.finals, "small": replace(results.finals["small"], test=stateless)}
    decision = pick(replace(results, finals=finals), PickOptions(to_export=True))
    assert decision.winner == "big"
    assert "no stored state" in decision.assessments[1].reason


def test_pick_reference_without_result_is_refused(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS})
    with pytest.raises(PickError, match="the reference, gone, has no test result"):
        pick(replace(results, table=replace(results.table, reference="gone")))


@pytest.mark.parametrize(("metric", "power"), [("mae", 1), ("rmse", 2)])
def test_losses_of_errors_count_upwards_in_units_of_the_metric(tmp_path, metric, power):
    errors = (1 + USERS) ** power
    scores = {"best": errors, "near": errors * 1.01**power, "far": errors * 1.05**power}
    results = results_of(tmp_path, scores, metric=metric)
    table, value = results.table, errors.mean() ** (1 / power)
    lost = {row.model: Loss.from_row(row, table) for row in table.rows}
    assert lost["best"] is None
    assert lost["near"].loss == pytest.approx(0.01 * value)
    assert lost["near"].loss - 1e-9 <= lost["near"].bound < 0.03 * value < lost["far"].bound
    assert (lost["near"].shown, lost["far"].shown) == (True, False)


def test_losses_are_the_same_whatever_the_limits(tmp_path):
    scores = {"big": USERS, "near": USERS - 0.001 + NOISE, "far": USERS * 0.5}
    results = results_of(tmp_path, scores, {"near": CHEAP, "far": CHEAP})
    bounds = [
        {c.model: c.loss and c.loss.bound for c in pick(results, options).assessments}
        for options in (PickOptions(), PickOptions((FAST,)))
    ]
    assert bounds[0] == bounds[1]


@pytest.mark.parametrize(
    ("name", "bound", "at_most", "message"),
    [
        ("ndgc@10", 0.2, False, "did you mean 'ndcg@10'"),
        ("ndcg@10", float("nan"), False, "must be a finite number"),
        ("rmse", 0.9, False, "lower rmse is better; give max rmse=0.9"),
        ("ndcg@10", 0.2, True, "higher ndcg@10 is better; give min ndcg@10=0.2"),
    ],
)
def test_limit_on_a_metric_that_makes_no_sense_is_refused(name, bound, at_most, message):
    with pytest.raises(PickError, match=message):
        on_metric(name, bound, ["ndcg@10", "rmse"], at_most=at_most)


def test_record_holds_a_reason_for_every_model_in_every_form(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS * 0.9}, {"small": CHEAP})
    decision = pick(results, PickOptions((Limit("size_mb", 50),)))
    content = as_json(decision)
    assert [entry["model"] for entry in content["models"]] == ["big", "small"]
    assert all(entry["reason"] for entry in content["models"])
    assert content["limits"] == ["size_mb ≤ 50"]
    assert decision.assessments[1].reason in as_text(decision)
    assert decision.assessments[1].reason in as_markdown(decision)


def test_record_in_a_run_is_markdown_and_json(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS})
    written = write_record(pick(results), tmp_path)
    assert written.name == "pick.md"
    assert json.loads((tmp_path / "pick.json").read_text())["winner"] == pick(results).winner


def test_record_shows_hostile_names_as_they_are(tmp_path):
    name = "<script>alert(1)</script>|_x_"
    text = as_markdown(pick(results_of(tmp_path, {"big": USERS, name: USERS})))
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|\\_x\\_" in text


def test_pick_lists_made_elsewhere_win_by_the_rule_alone_and_are_never_exported(tmp_path):
    def with_lists(values):
        results = results_of(tmp_path, {"big": USERS, "production": values}, {"production": CHEAP})
        rows = [replace(row, tuned=row.model == "big", reason="not tuned here") for row in results.table.rows]
        return replace(results, table=replace(results.table, rows=tuple(rows)))

    good, bad = with_lists(USERS - 0.001 + NOISE), with_lists(USERS * 0.9 + NOISE)
    assert pick(good).winner == "production"
    exported = pick(good, PickOptions(to_export=True))
    assert exported.winner == "big"
    assert exported.assessments[1].reason == "not tuned here, so there is no model that could be exported"
    with pytest.raises(PickError, match=r"lists made elsewhere that meet them \(production\) are not shown"):
        pick(bad, PickOptions((FAST,)))


def test_pick_of_a_named_model_says_what_the_rule_picks(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS - 0.001 + NOISE}, {"small": CHEAP})
    decision = pick(results, PickOptions(model="BIG"))

    assert (decision.winner, decision.outcome, decision.by_rule) == ("big", "named", "small")
    assert decision.assessments[1].reason == "within the margin, but another model was asked for"
    assert "big was asked for by name; the rule picks small." in decision.warnings
    assert as_json(decision)["by_rule"] == "small"


def test_pick_of_a_named_model_that_is_not_good_enough_says_so(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS * 0.9 + NOISE}, {"small": CHEAP})
    decision = pick(results, PickOptions(model="small"))

    assert (decision.winner, decision.by_rule) == ("small", "big")
    assert any(note.startswith("small: not shown to be non-inferior") for note in decision.warnings)


def test_pick_of_a_name_that_the_board_lacks_names_the_nearest(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS})
    with pytest.raises(PickError, match=r"no model 'small1'; did you mean 'small'\?; it has big, small"):
        pick(results, PickOptions(model="small1"))


def test_pick_of_a_named_model_beyond_the_limits_is_refused(tmp_path):
    results = results_of(tmp_path, {"big": USERS, "small": USERS}, {"small": CHEAP})
    with pytest.raises(PickError, match="big: latency_ms_p95 is 2, 1 over the limit of 1"):
        pick(results, PickOptions((FAST,), model="big"))


def test_record_keeps_those_of_before_under_the_next_number(tmp_path):
    results = results_of(tmp_path / "run", {"big": USERS, "small": USERS * 0.5})
    folder = tmp_path / "records"
    folder.mkdir()
    for model in ("big", "small", "big"):
        write_record(pick(results, PickOptions(model=model)), folder)

    assert {path.name for path in folder.iterdir()} == {
        f"{stem}.{kind}" for stem in ("pick", "pick-1", "pick-2") for kind in ("md", "json")
    }
    winners = [json.loads((folder / f"pick{end}.json").read_text())["winner"] for end in ("-1", "-2", "")]
    assert winners == ["big", "small", "big"]


def interval(low, high, column="latency_ms_p95"):
    return {f"{column}_low": low, f"{column}_high": high}


def test_limit_inside_the_interval_of_a_measurement_is_said(tmp_path):
    near = CHEAP | {"latency_ms_p95": 0.97} | interval(0.9, 1.05)
    results = results_of(tmp_path, {"big": USERS, "small": USERS}, {"small": near})
    decision = pick(results, PickOptions((FAST,)))

    assert decision.winner == "small"
    said = "small: latency_ms_p95 is 0.97 [0.9, 1.05]: the limit of 1 falls inside the interval"
    assert any(note.startswith(said) for note in decision.warnings)


def test_limit_outside_the_interval_is_settled(tmp_path):
    far = CHEAP | interval(0.35, 0.45)
    results = results_of(tmp_path, {"big": USERS, "small": USERS}, {"small": far})

    assert not [
        note for note in pick(results, PickOptions((FAST,))).warnings if "inside the interval" in note
    ]


def test_latencies_whose_intervals_meet_leave_the_choice_to_size(tmp_path):
    quick = {"latency_ms_p50": 4.8, "size_mb": 9.0} | interval(4.5, 5.1, "latency_ms_p50")
    small = {"latency_ms_p50": 5.2, "size_mb": 3.0} | interval(5.0, 5.4, "latency_ms_p50")
    decision = pick(results_of(tmp_path, {"a": USERS, "b": USERS}, {"a": quick, "b": small}))

    assert decision.winner == "b"
    assert decision.assessments[1].reason == "within the margin, but larger: 9 MB (winner: 3 MB)"


def test_latencies_whose_intervals_are_apart_decide(tmp_path):
    quick = {"latency_ms_p50": 4.8, "size_mb": 9.0} | interval(4.7, 4.9, "latency_ms_p50")
    small = {"latency_ms_p50": 5.2, "size_mb": 3.0} | interval(5.0, 5.4, "latency_ms_p50")

    assert pick(results_of(tmp_path, {"a": USERS, "b": USERS}, {"a": quick, "b": small})).winner == "a"
