"""The model card (Mitchell et al. 2019, arXiv:1810.03993): what the model is, is good for, and is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmark.reporting.columns import decimal, span
from benchmark.reporting.markdown import escape


def model_card(content: Mapping[str, Any]) -> str:
    """Return the card as Markdown, made from bundle.json."""
    data, training, promise = content["data"], content["training"], content["promise"]
    label = ["**Trained on synthetic data: it says nothing about real users.**"] if data["synthetic"] else []
    lines = [
        f"# {escape(content['model'])} on {escape(data['dataset'])}",
        *label,
        (
            f"A recommender that ranks {data['n_items']:,} items for {data['n_users']:,} users: adapter "
            f"{escape(content['adapter']['name'])}, trained on {escape(training['train_on'])} "
            f"with seed {training['seed']}; training steps: {training['steps']}."
        ),
        f"Hyperparameters: `{json.dumps(content['params'])}`",
        "## Data",
        (
            f"{escape(data['dataset'])}. Licence: {escape(str(data['licence']))}. Split "
            f"{escape(data['rule']['by'])}, SHA-256 {data['split_sha256']}. Liked: "
            f"{escape(str(data.get('positive') or 'every row'))}."
        ),
        "## Scores on test",
        (
            f"Of this very model; {content['board']['level']:.0%} intervals over users (BCa), unadjusted. "
            f"Seeds on the board: {content['board']['seeds']}; {escape(content['board']['primary'])} there: "
            f"{decimal(content['board']['value'])} "
            f"{span(content['board']['low'], content['board']['high'])}."
        ),
        "\n".join(["| metric | value | interval |", "| :-- | --: | --: |", *_scores(content["metrics"])]),
        "## Cost",
        (
            f"One user's scores take {decimal(promise['latency_ms_p50'], 2)} ms at the median and "
            f"{decimal(promise['latency_ms_p95'], 2)} ms at the 95th percentile on {promise['device']} "
            f"({escape(str(promise['processor']))}); the state has {decimal(promise['size_mb'], 2)} MB."
        ),
        _USE,
        _LIMITS,
    ]
    return "\n\n".join(lines) + "\n"


def _scores(metrics: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    return [
        f"| {escape(name)} | {decimal(score['value'])} | {span(score['low'], score['high'])} |"
        for name, score in metrics.items()
    ]


_USE = """## Use

    bench verify BUNDLE                         files, lists, latency
    bench recommend BUNDLE --user ID -k 10      in a shell
    benchmark.load("BUNDLE").recommend([ID])    in Python

Nothing here is executable: named arrays and JSON, opened with the adapter of that name that is installed."""

_LIMITS = """## Limits

- Items that came after training are never recommended; users who did get the most popular items,
  or a list made from their history where the model can fold one in.
- What a user consumed in the held-out test part is not hidden: the lists are those that were judged.
  Leave such items out with `--exclude`.
- Scores say how well the past was predicted, not what a list would change in the world."""
