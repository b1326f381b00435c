"""The model card (Mitchell et al. 2019, arXiv:1810.03993): what the model is, is good for, and is not."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmark.bundle.format import BundleManifest, ModelOrigin
from benchmark.datasets.specs import EVERY_RATING, likes_in_words
from benchmark.leaderboard.formatting import decimal, span
from benchmark.reporting.markdown import escape

_USE = """## Use

    bench verify BUNDLE                         files, lists, latency
    bench recommend BUNDLE --user ID -k 10      in a shell
    benchmark.load("BUNDLE").recommend([ID])    in Python

Nothing here is executable: named arrays and JSON, opened with the installed adapter of that name."""

_LIMITS = """## Limits

- Items added after training are never recommended. Users added since get the most popular items, or a list
  made from their history where the model can fold one in.
- {seen}
- Scores say how well the past was predicted, not what a list would change in the world."""
_SEEN = {
    "hide": """Items that a user consumed in the test part are not hidden: the lists are those that were
  evaluated. Leave such items out with `--exclude`.""",
    "allow": """Items that a user has had are recommended again (`seen: allow`), as when it was
  evaluated. Leave what is not wanted again out with `--exclude`.""",
    "hide-negative": """Known dislikes of a user are hidden, but those of the test part; other items that
  the user has had are recommended again (`seen: hide-negative`). Leave items out with `--exclude`.""",
}


def model_card(manifest: BundleManifest) -> str:
    """Return the card as Markdown."""
    data, origin, board, cost = manifest.data, manifest.origin, manifest.board, manifest.measured
    warning = "**Trained on synthetic data: it says nothing about real users.**"
    likes = likes_in_words(data.positive, data.negative, data.weight)
    unexplained = data.provenance.scale and data.positive is None and data.negative is None
    scores = [
        f"| {escape(name)} | {decimal(score.value)} | {span(score.low, score.high)} |"
        for name, score in manifest.scores.items()
    ]
    lines = [
        f"# {escape(manifest.model)} on {escape(data.dataset)}",
        *([warning] if data.provenance.synthetic else []),
        *trained_in(origin),
        (
            f"A recommender that ranks {data.n_items:,} items for {data.n_users:,} users: adapter "
            f"{escape(origin.adapter)}, trained on {escape(origin.train_on)} with seed {origin.seed}; "
            f"training steps: {origin.steps}."
        ),
        *made_with(origin),
        f"Hyperparameters: `{json.dumps(dict(manifest.params))}`",
        "## Data",
        (
            f"{escape(data.dataset)}. Licence: {escape(data.provenance.licence)}. Split: "
            f"{escape(str(data.rule.get('by')))}, SHA-256 {data.split_sha256}."
        ),
        f"{escape(likes[:1].upper() + likes[1:])}.",
        *([f"**{escape(EVERY_RATING)}.**"] if unexplained else []),
        "## Scores on test",
        (
            f"Of this very model; {board.level:.0%} intervals over users (BCa), unadjusted. "
            f"Seeds on the board: {board.seeds}; {escape(board.primary)} there: "
            f"{decimal(board.score.value)} {span(board.score.low, board.score.high)}."
        ),
        "\n".join(["| metric | value | interval |", "| :-- | --: | --: |", *scores]),
        "## Cost",
        (
            f"Scoring one user takes {decimal(cost.latency_ms_p50, 2)} ms at the median and "
            f"{decimal(cost.latency_ms_p95, 2)} ms at the 95th percentile on {cost.device} "
            f"({escape(cost.processor)}); the state takes {decimal(cost.size_mb, 2)} MB."
        ),
        _USE,
        _LIMITS.format(seen=_SEEN[manifest.seen]),
    ]
    return "\n\n".join(lines) + "\n"


def made_with(origin: ModelOrigin) -> Iterator[str]:
    """Yield the packages that the model's code comes from or calls."""
    pins = [*([origin.package] if origin.package else []), *dict.fromkeys(origin.libraries.values())]
    if pins:
        yield f"Made with {escape(', '.join(pin.replace('==', ' ') for pin in pins))}."


def trained_in(origin: ModelOrigin) -> Iterator[str]:
    """Yield where a model was trained that does not run in our own Python, and that it is not needed here."""
    if (own := origin.environment) is not None:
        yield (
            f"Trained in the environment {escape(own.name)} (Python {escape(own.python)}, SHA-256 "
            f"{own.sha256}), and served from stored arrays without it."
        )
