"""What a reader must know of a table, and what a reviewer would object to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from benchmark.datasets.manifest import FEW_USERS, SplitManifest
from benchmark.datasets.specs import EVERY_RATING, Seen
from benchmark.files import content_hash
from benchmark.leaderboard.dataset_results import DatasetResults
from benchmark.leaderboard.formatting import decimal
from benchmark.leaderboard.rows import BoardRow
from benchmark.leaderboard.tuning_history import FEW_TRIALS, TuningHistory
from benchmark.metrics.constant import constant_metrics
from benchmark.metrics.head_tail import HEAD_SHARE
from benchmark.metrics.register import Metric, parse_metric
from benchmark.records import (
    EnvironmentRecord,
    ListsRecord,
    Note,
    StudyRecord,
    TestCounts,
    warning,
)

UNUSED_SHARE = 0.25
"""A search that ended with more of its budget left had time for trials that it did not make."""

STABLE_SHARE = 0.95

POOLS: Mapping[Seen, str] = {
    "hide": "unseen items",
    "allow": "items, those that a user has had included",
    "hide-negative": "items but a user's known dislikes",
}

CANDIDATES = {
    "train": "items that occur in training",
    "test-items": "items that occur in test",
    "cold-items": "items that do not occur in training",
    "given": "a list of items given by the suite",
}


def fact_notes(
    results: DatasetResults, primary: Metric, reference: str | None, *, chosen: bool
) -> Iterator[Note]:
    """Yield how the table came about.

    Args:
        results: what the runs hold.
        primary: the metric that ranks.
        reference: the model that the others are compared with.
        chosen: whether the reader chose it, by name.
    """
    split = results.split
    if split.synthetic:
        yield warning(f"{results.dataset} is synthetic: these numbers say nothing about real data.")
    scored = [part.final.scores for part in results.parts if not isinstance(part.final, ListsRecord)]
    if scored:
        yield evaluated_note(split, scored[0].counts, results.suite.metrics.all)
    yield from repeats_note(split, results.suite.metrics.all)
    yield from prepared_note(split)
    yield from likes_notes(split, results.suite.metrics.all)
    yield from unused_notes(split, list(results.studies.values()))
    yield from rests_on_notes(results)
    yield from package_notes(results)
    yield from environment_notes(list(results.studies.values()))
    yield from judged_note(split)
    yield from sample_notes(split)
    for name, reason in constant_metrics(results.suite.metrics.all, split.log_audit).items():
        yield Note(f"{name}: n/a: the same for every model: {reason}.")
    if reference is not None:
        late = any(one.instead_of is not None for one in results.references if one.model == reference)
        named = "best on validation" if late else "best on validation, named before test was scored"
        named = "chosen by the reader" if chosen else named
        level = f"{1 - results.suite.verdict.alpha:.0%}"
        yield Note(
            f"Reference: {reference}, {named}. {level} intervals, unadjusted: of {primary.name} over users "
            "(BCa), of differences over users and seeds. p: seed-aware, Holm over all models. best: cannot "
            "be separated from the best model (joint sign flips over all pairs, seed-aware)."
        )


def rests_on_notes(results: DatasetResults) -> Iterator[Note]:
    """Yield, for each run, when it was made and the hashes of what it rests on; nothing of it is opened."""
    split = results.split
    files = [*split.files, *([split.candidates.file] if split.candidates.file else [])]
    read = [f"{Path(one.path).name} of {one.modified[:10]} ({one.sha256[:8]})" for one in files]
    rows = ", ".join(read) or ("generated rows" if split.synthetic else split.provenance.origin)
    runs = {manifest.started: manifest for manifest in results.runs.values() if manifest.adapters}
    for manifest in runs.values():
        code = content_hash(
            {name: [one.source_sha256, dict(one.versions)] for name, one in manifest.adapters.items()}
        )
        yield Note(
            f"Made {manifest.finished or manifest.started} from {rows}, split {split.hash[:8]}, adapters and "
            f"libraries {code[:8]}."
        )


def package_notes(results: DatasetResults) -> Iterator[Note]:
    """Yield which adapters come from packages of others, with the version of each."""
    found: dict[str, list[str]] = {}
    for model, study in results.studies.items():
        run = results.runs.get(model)
        code = None if run is None else run.adapters.get(study.adapter)
        if code is not None and code.package is not None:
            found.setdefault(code.package, []).append(model)
    for package, names in found.items():
        yield Note(f"Adapters of the package {package.replace('==', ' ')}: {', '.join(names)}.")


def environment_notes(studies: Sequence[StudyRecord]) -> Iterator[Note]:
    """Yield, for each environment, which models ran in it; nothing where all ran in our own Python."""
    found: dict[EnvironmentRecord, list[str]] = {}
    for study in studies:
        if study.environment is not None:
            found.setdefault(study.environment, []).append(study.model)
    for own, names in found.items():
        yield Note(
            f"In the environment {own.name} (Python {own.python}, {own.sha256[:12]}): {', '.join(names)}."
        )


def evaluated_note(split: SplitManifest, counts: TestCounts, metrics: Sequence[str]) -> Note:
    """Return how many users and items were evaluated, and what was excluded."""
    found = [
        "1 user evaluated" if counts.users == 1 else f"{counts.users} users evaluated",
        *counted(
            counts.without_relevant,
            "user has no relevant test items and is excluded from ranking metrics",
            "users have no relevant test items and are excluded from ranking metrics",
        ),
        *counted(counts.cold_users, "user does not occur in training", "users do not occur in training"),
        *counted(
            counts.short_lists,
            "list is shorter than k (too few candidates)",
            "lists are shorter than k (too few candidates)",
        ),
        *counted(
            counts.hidden_relevant,
            "relevant item was seen in training and is excluded",
            "relevant items were seen in training and are excluded",
        ),
        *counted(
            counts.excluded_relevant,
            "relevant item is not a candidate and is excluded",
            "relevant items are not candidates and are excluded",
        ),
        *counted(
            split.audited.cold.items,
            "test item does not occur in training",
            "test items do not occur in training",
        ),
    ]
    rule, pool = split.candidates.rule, POOLS[split.seen]
    ranked = f"all {pool}" if rule == "all" else f"a subset of the {pool}: {CANDIDATES[rule]}"
    text = f"{'; '.join(found)}. Full ranking over {ranked}."
    rated = [name for name in metrics if parse_metric(name).kind == "rating"]
    return Note(f"{text} {', '.join(rated)} over interactions." if rated else text)


def counted(count: int, one: str, many: str) -> Iterator[str]:
    """Yield how many of something there are; nothing if there are none.

    >>> [*counted(1, "list is short", "lists are short"), *counted(0, "user", "users")]
    ['1 list is short']
    """
    if count:
        yield f"{count} {one if count == 1 else many}"


def repeats_note(split: SplitManifest, metrics: Sequence[str]) -> Iterator[Note]:
    """Yield how much of test comes again, and what the parts of metrics are, where a suite has any."""
    repeats = split.audited.repeats
    if repeats is not None and repeats.test:
        yield Note(
            f"Items come again: {repeats.repeated} of {repeats.test} pairs of user and item in test "
            f"({repeats.repeated / repeats.test:.1%}) occur in train or validation."
        )
    if any(parse_metric(name).part for name in metrics):
        yield Note(
            "/repeated, /new: what hits on items that the user has had, and on items new to the user, add to "
            "a metric; together they are its value."
        )


def prepared_note(split: SplitManifest) -> Iterator[Note]:
    """Yield how many rows were read, and how many each step of preparation that removed some left."""
    kept = [one for before, one in pairwise(split.prepare) if one.rows != before.rows]
    if kept:
        left = ", ".join(f"{one.rows:,} after {one.step}" for one in kept)
        yield Note(f"Preparation: {split.prepare[0].rows:,} rows read; {left} (details: bench data check).")


def likes_notes(split: SplitManifest, metrics: Sequence[str]) -> Iterator[Note]:
    """Yield which rows are likes; a warning where every rating is one and lists are judged by it."""
    rows, positives = (
        sum(getattr(part, count) for part in split.parts.values()) for count in ("rows", "positives")
    )
    yield Note(f"L{split.likes[1:]}; {positives:,} of {rows:,} rows are likes.")
    if split.every_rating_is_a_like and any(parse_metric(name).kind != "rating" for name in metrics):
        yield warning(f"{EVERY_RATING}.")


def unused_notes(split: SplitManifest, studies: Sequence[StudyRecord]) -> Iterator[Note]:
    """Yield which models take the weights, the known dislikes and the graph of the data into account."""
    for named, use, what in (
        (split.weight, "weights", "weights are"),
        (split.negative, "negatives", "known dislikes are"),
        (split.graph, "graph", "knowledge graph is"),
    ):
        if named is not None:
            yield Note(unused(what, use, studies))


def unused(what: str, use: str, studies: Sequence[StudyRecord]) -> str:
    """Return which models use something that a suite names, and which ignore it."""
    running = [study for study in studies if study.excluded is None and study.tuned]
    users = ", ".join(study.model for study in running if use in study.uses)
    others = ", ".join(study.model for study in running if use not in study.uses)
    said = [
        f"used by {users}" if users else "used by no model",
        *([f"ignored by {others}"] if others else []),
    ]
    return f"The {what} {'; '.join(said)}."


def judged_note(split: SplitManifest) -> Iterator[Note]:
    """Yield how many users the rule of the split can judge, and why not the others."""
    if split.log_audit is not None and split.log_audit.judged is not None:
        yield Note(f"By this split ({split.rule.by}) {split.log_audit.judged.text}.")


def sample_notes(split: SplitManifest) -> Iterator[Note]:
    """Yield on how many users models are tuned, and tested: a warning where test is a sample, or few are."""
    if (test := split.test_sample) is not None:
        yield warning(
            f"Test values are of {test.users:,} of {test.of:,} test users, a sample (finals.users, seed "
            f"{test.seed}): not comparable with values of all users."
        )
    if (valid := split.valid_sample) is None:
        return
    error = "" if valid.error is None else f"; standard error of a value about {decimal(valid.error)}"
    text = f"Tuned on {valid.users:,} of {valid.of:,} validation users (seed {valid.seed}{error})"
    few = f"; with fewer than {FEW_USERS} the choice of a configuration is largely chance"
    yield warning(f"{text}{few}.") if valid.is_small else Note(f"{text}.")


def log_notes(split: SplitManifest) -> Iterator[Note]:
    """Yield what stands out in the log and may spoil results."""
    for finding in split.log_audit.warnings if split.log_audit else ():
        yield warning(f"Log: {finding.text}.")


def lists_note(k: int | None) -> Note:
    """Return what the columns on popularity mean."""
    length = "whole lists" if k is None else f"lists of {k}"
    return Note(
        "lift: popularity of recommended items relative to the log (1: equal). head, tail: recall of popular "
        f"items (the fewest that hold {HEAD_SHARE:.0%} of training rows) and of the others; {length}."
    )


def below_popularity_notes(
    ranked: Sequence[BoardRow], studies: Mapping[str, StudyRecord], primary: Metric
) -> Iterator[Note]:
    """Flag personalised rankers below popularity; rating models rank badly by nature."""
    floor = next((row for row in ranked if studies[row.model].adapter == "baselines/popularity"), None)
    if floor is None or primary.kind == "rating":
        return
    for row in ranked:
        below = row.score < floor.score if primary.higher_is_better else row.score > floor.score
        study = studies[row.model]
        if not below or study.library == "baselines":
            continue
        if study.feedback == "explicit":
            yield Note(f"{row.model}: a rating model, trained on observed ratings only; judge it by RMSE.")
        else:
            yield warning(f"{row.model} ranks below popularity.")


def first_look_note(searches: Sequence[TuningHistory]) -> Iterator[Note]:
    """Yield what the first looks at models cost, and the rows of a step that were chosen by them."""
    looks = [f"{one.model} {one.probe.text}" for one in searches if one.probe is not None]
    if looks:
        yield Note(f"Timed on samples of the rows before tuning, which counts: {'; '.join(looks)}.")


def search_notes(ranked: Sequence[BoardRow], searches: Sequence[TuningHistory]) -> Iterator[Note]:
    """Flag searches that were too short, ended at the boundary of their space, or were still improving."""
    rows = {row.model: row for row in ranked}
    tuned = [search for search in searches if search.space and search.model in rows]
    few = [f"{one.model} ({one.started})" for one in tuned if one.started < FEW_TRIALS]
    if few:
        yield warning(f"under-tuned, fewer than {FEW_TRIALS} trials: {', '.join(few)}.")
    idle = [one for one in tuned if (one.unused_s or 0.0) > UNUSED_SHARE * rows[one.model].budget_s]
    if idle:
        left = ", ".join(f"{one.model} {one.unused_s:.0f} s ({one.ended})" for one in idle)
        yield warning(f"over {UNUSED_SHARE:.0%} of the budget was left unused: {left}.")
    edges = [f"{row.model} {row.at_edge}" for row in ranked if row.at_edge]
    if edges:
        yield warning(
            f"best value lies at the boundary of its search range; consider widening it: {'; '.join(edges)}."
        )
    rising = [row.model for row in ranked if row.still_improving]
    if rising:
        yield warning(
            "the best trial was still improving when it was stopped; more time per trial may help: "
            f"{', '.join(rising)}."
        )


def stability_note(ranked: Sequence[BoardRow]) -> Iterator[Note]:
    """Flag a first place that another draw of users and seeds would often give to another model."""
    first = ranked[0] if len(ranked) > 1 else None
    if first is None or first.first_places is None or first.first_places >= STABLE_SHARE:
        return
    yield warning(
        f"unstable first place: {first.model} ranked first in only {first.first_places:.0%} of bootstrap "
        f"resamples of users and seeds ({first.first_places_if_equal:.0%} expected if all models were equal)."
    )
