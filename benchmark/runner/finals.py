"""Finals: the chosen configuration refitted with S seeds and scored on test, once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmark.budget import LOST, Line
from benchmark.datasets.store import load_manifest
from benchmark.errors import AdapterError, Interrupted, RunError
from benchmark.executors.channel import Closed, Message
from benchmark.executors.local import Ending, Limits, Nursery, SetUp, supervise
from benchmark.executors.slots import Slot
from benchmark.results import RunDirectory, content_hash, file_hash
from benchmark.runner.plan import Study
from benchmark.runner.site import Site, note_open

SCORER = SetUp(["pyarrow.parquet", "scipy.sparse", "benchmark.scorer"], "benchmark.scorer:load", {})


MEASURED = ("values", "counts", "popularity_lift", "sha256", "state_sha256")
TRY_AGAIN = frozenset({"infrastructure", "timeout"})
"""Outcomes that are tried once more. The configuration of a final has been fitted before in a third of
its bound, so when it runs over, most likely something else held the machine."""


@dataclass
class Heard:
    """What a final's process, or its scorer, said; spending goes to the ledger."""

    site: Site
    entry: str | None
    said: dict[str, Message] = field(default_factory=dict)

    def hear(self, message: Message, charged_s: float) -> None:
        """Keep the last message of each kind."""
        del charged_s
        self.said[message["event"]] = message

    def tick(self, lease_s: float, charged_s: float) -> None:
        """Write the spending of the model's process down; the scorer's is nobody's."""
        if self.entry is not None:
            spent = {"lease_s": round(lease_s, 3), "charged_s": round(charged_s, 3)}
            self.site.ledger.append("spend", entry=self.entry, **spent)


@dataclass
class FinalsRun:
    """All finals of one model on one data set."""

    site: Site
    study: Study
    key: str
    best: Line
    split: Path
    split_hash: str
    slot: Slot
    run_dir: RunDirectory

    def run(self) -> None:
        """Fit and score what has no committed result yet."""
        wanted = list(self.wanted())
        todo = [task for task in wanted if not self.is_done(*task)]
        self.site.watcher.final(self.study.name, len(wanted) - len(todo), len(wanted))
        if not todo:
            return None
        problem: Exception | None = None
        for _ in range(2):
            try:
                with self._nurseries() as (nursery, scorers):
                    return self._work(nursery, scorers, wanted)
            except (AdapterError, Closed) as error:
                if self.site.stop.is_set():
                    raise Interrupted from error
                problem = error  # a process that forks has died or is not ready: once more with a new one
        return self._give_up(todo[0], str(problem) or "the process that forks its fits died twice")

    def _work(self, nursery: Nursery, scorers: Nursery, wanted: list[tuple[str, int]]) -> None:
        for task in wanted:
            if self.is_done(*task):
                continue
            closed = self._final(nursery, scorers, *task)
            if closed["outcome"] in TRY_AGAIN:
                closed = self._final(nursery, scorers, *task)
            done = sum(self.is_done(*other) for other in wanted)
            self.site.watcher.final(self.study.name, done, len(wanted))
            if closed["outcome"] != "complete":
                break  # the same configuration would fail again; the row says why

    def _give_up(self, task: tuple[str, int], reason: str) -> None:
        """Write down that a final could not even be started."""
        nothing = {
            "lease_s": 0.0,
            "charged_s": 0.0,
            "trial": self.best["trial"],
            "config": self.best["config"],
        }
        entry = self._identity(*task)
        self.site.ledger.append("close", **entry, outcome="infrastructure", reason=reason, **nothing)

    def wanted(self) -> Iterator[tuple[str, int]]:
        """Return (training set, seed) of every final."""
        seeds = 1 if self.study.adapter.traits.deterministic else self.site.suite.finals.seeds
        for train_on in self.site.suite.finals.variants:
            for seed in range(seeds):
                yield train_on, seed

    def final_key(self, train_on: str, seed: int) -> str:
        """Return the hash of everything that this final's result depends on."""
        return content_hash(
            {
                "study": self.key,
                "split": self.split_hash,
                "params": self.best["config"],
                "steps": self.best["best_step"],
                "train_on": train_on,
                "seed": seed,
                "metrics": self.site.applicable(self.study),
            }
        )[:16]

    def is_done(self, train_on: str, seed: int) -> bool:
        """Return whether the ledger has this final, and its part is the file that was written."""
        lines = self.site.ledger.lines("close", key=self.final_key(train_on, seed), outcome="complete")
        return any(
            (self.run_dir / line["part"]).exists()
            and file_hash(self.run_dir / line["part"]) == line["sha256"]
            for line in lines
        )

    @contextmanager
    def _nurseries(self) -> Iterator[tuple[Nursery, Nursery]]:
        slot = Slot(self.slot.cores, self.slot.memory_mb)
        with (
            self.site.nursery(self.study, self.split, self.slot) as nursery,
            Nursery(slot, SCORER, log=self.site.log, stop=self.site.stop) as scorers,
        ):
            yield nursery, scorers

    def _final(self, nursery: Nursery, scorers: Nursery, train_on: str, seed: int) -> Line:
        entry = self._identity(train_on, seed)
        request = self.site.request(self.study, self.best["config"], seed, self.slot)
        request |= {"steps": self.best["best_step"], "train_on": train_on, "directory": str(self.split)}
        part, state = f"parts/{entry['key']}.parquet", f"models/{entry['key']}.safetensors"
        request["keep_state"] = seed == 0 and train_on == self.site.suite.finals.train_on
        hold_s = self.site.policy.final_s(self.best["charged_s"] * self._more_users())
        places = {"part": str(self.run_dir / part), "state": str(self.run_dir / state)}
        private = {key: value for key, value in request.items() if key != "directory"}
        fitted, scored = Heard(self.site, entry["entry"]), Heard(self.site, None)
        limits = Limits(hold_s, self.slot.memory_mb, self.site.policy.ready_s)
        self.site.ledger.append("test-opened", entry=entry["entry"], split=self.split_hash)
        with ExitStack() as held:
            with _pipe() as (read, write):
                scorer = scorers.launch("benchmark.scorer:run", request | places, (read,))
                held.enter_context(closing(scorer))
                child = nursery.launch("benchmark.trial:final", private, (write,))
                held.enter_context(closing(child))
            facts = {"config": self.best["config"], "device": request["device"]}
            note_open(self.site.ledger, child, entry, hold_s=hold_s, **facts)
            ending = supervise(child, limits, fitted)
            supervise(scorer, replace(limits, hold_s=max(60.0, hold_s)), scored)
        line = self._close(entry, (part, state), ending, fitted.said, scored.said)
        if ending.ended_by == "stopped":
            raise Interrupted
        return line

    def _more_users(self) -> float:
        """Return how many users a final scores for each that its trial scored."""
        counts = load_manifest(self.split)
        each: float = counts["n_users"] / max(1, counts["parts"]["valid"]["users"])
        return max(1.0, each)

    def _close(
        self,
        entry: dict[str, Any],
        files: tuple[str, str],
        ending: Ending,
        fitted: dict[str, Message],
        scored: dict[str, Message],
    ) -> Line:
        if scored.get("error", {}).get("kind") == "place":
            raise RunError(scored["error"]["message"])  # a full disk is not the model's failure
        outcome, reason = _classify(ending, fitted, scored)
        result: dict[str, Any] = {}
        if outcome == "complete":
            facts = {key: value for key, value in fitted["facts"].items() if key != "event"}
            measured = {key: scored["result"][key] for key in MEASURED}
            result = facts | measured | {"part": files[0], "state": files[1]}
        for said in (fitted, scored):
            if "error" in said:
                self.site.log(f"[{entry['entry']}] {said['error']['traceback']}")
        return self.site.ledger.append(
            "close",
            **entry,
            outcome=outcome,
            reason=reason,
            lease_s=round(ending.lease_s, 4),
            charged_s=round(ending.charged_s, 4),
            memory_mb=round(ending.memory_mb, 1),
            trial=self.best["trial"],
            config=self.best["config"],
            **result,
        )

    def _identity(self, train_on: str, seed: int) -> dict[str, Any]:
        key = self.final_key(train_on, seed)
        attempt = len(self.site.ledger.lines("open", key=key))
        return {
            "entry": f"{self.study.name}@{key}#final-{attempt}",
            "study": self.study.name,
            "key": key,
            "study_key": self.key,
            "dataset": self.study.dataset,
            "model": self.study.model,
            "role": "final",
            "train_on": train_on,
            "seed": seed,
        }


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Make a pipe for two children; our ends are closed, so that its reader sees the writer's end."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def _classify(ending: Ending, fitted: dict[str, Message], scored: dict[str, Message]) -> tuple[str, str]:  # noqa: PLR0911 - a line for each outcome
    if ending.ended_by == "stopped":
        return LOST, "the run was stopped"
    if "error" in fitted and "BrokenPipeError" not in fitted["error"]["message"]:
        return fitted["error"]["kind"], fitted["error"]["message"]
    if ending.ended_by == "memory":
        return "oom", f"its processes took {ending.memory_mb:.0f} MB, more than the slot"
    if ending.ended_by == "hold":
        return "timeout", f"the final took longer than {ending.charged_s:.0f} s"
    if not ending.done:
        return (
            "infrastructure",
            f"its process ended without a word (exit code {ending.code}, {ending.ended_by})",
        )
    if "result" not in scored:
        return "infrastructure", scored.get("error", {}).get("message", "the scorer ended without a word")
    return "complete", "finished"
