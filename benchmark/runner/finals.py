"""Finals: the chosen configuration refitted with S seeds and scored on test, once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from benchmark.budget import LOST, Line
from benchmark.errors import AdapterError, Interrupted, RunError
from benchmark.executors.channel import Closed, Message
from benchmark.executors.local import ExitReport, ForkServer, Limits, supervise
from benchmark.executors.slots import Slot
from benchmark.results import RunDirectory, content_hash, file_hash
from benchmark.runner.context import RunContext, applicable, note_open
from benchmark.runner.plan import Study
from benchmark.runner.splits import StoredSplit

DEFAULT = "default"
"""What stands for the training set in the final of the default configuration: it is in no ranking."""
MEASURED = ("values", "counts", "popularity_lift", "sha256", "state_sha256")
TRY_AGAIN = frozenset({"infrastructure", "timeout"})
"""Outcomes that are tried once more. The configuration of a final has been fitted before in a third of
its bound, so when it runs over, most likely something else held the machine."""


@dataclass
class FinalListener:
    """What a final's process, or its scorer, said; spending goes to the ledger."""

    context: RunContext
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
            self.context.ledger.append("spend", entry=self.entry, **spent)


@dataclass(frozen=True)
class FinalSpec:
    """One final: the trial that is fitted again, on what, with which seed.

    Attributes:
        part: "train" or "train+valid", what the chosen configuration is trained on; "default" for the
            default configuration, which is trained as the board ranks.
        seed: of the model.
        trial: the close line whose configuration and number of steps are repeated.
    """

    part: str
    seed: int
    trial: Line


@dataclass
class FinalsRun:
    """All finals of one model on one data set."""

    context: RunContext
    study: Study
    key: str
    best: Line
    default: Line | None
    data: StoredSplit
    slot: Slot
    run_dir: RunDirectory

    def run(self) -> None:
        """Fit and score what has no committed result yet."""
        wanted = list(self.wanted())
        todo = [task for task in wanted if not self.is_done(task)]
        self.context.watcher.final(self.study.name, len(wanted) - len(todo), len(wanted))
        if not todo:
            return self.context.fork_servers.drop(self.study)
        problem: Exception | None = None
        for _ in range(2):
            try:
                with self.context.fork_servers.lend(
                    self.study, self.data, self.slot, keep=False
                ) as fork_server:
                    return self._work(fork_server, self.context.fork_servers.scorer(self.slot), wanted)
            except (AdapterError, Closed) as error:
                self.context.fork_servers.drop_scorer(self.slot)
                if self.context.stop.is_set():
                    raise Interrupted from error
                problem = error  # a process that forks has died or is not ready: once more with a new one
        return self._give_up(todo[0], str(problem) or "the process that forks its fits died twice")

    def _work(self, fork_server: ForkServer, scorers: ForkServer, wanted: list[FinalSpec]) -> None:
        for task in wanted:
            if self.is_done(task):
                continue
            closed = self._final(fork_server, scorers, task)
            if closed["outcome"] in TRY_AGAIN:
                closed = self._final(fork_server, scorers, task)
            done = sum(self.is_done(other) for other in wanted)
            self.context.watcher.final(self.study.name, done, len(wanted))
            if closed["outcome"] != "complete":
                break  # the same configuration would fail again; the row says why

    def _give_up(self, task: FinalSpec, reason: str) -> None:
        """Write down that a final could not even be started."""
        facts = {"trial": task.trial["trial"], "config": task.trial["config"]}
        spent = {"lease_s": 0.0, "charged_s": 0.0}
        entry = self._identity(task)
        self.context.ledger.append(
            "close", **entry, outcome="infrastructure", reason=reason, **spent, **facts
        )

    def wanted(self) -> Iterator[FinalSpec]:
        """Return every final, that of the default configuration last: it is never ranked."""
        finals = self.context.suite.finals
        seeds = 1 if self.study.adapter.traits.deterministic else finals.seeds
        for part in finals.variants:
            for seed in range(seeds):
                yield FinalSpec(part, seed, self.best)
        if finals.default and self.default is not None and self.default["config"] != self.best["config"]:
            yield FinalSpec(DEFAULT, 0, self.default)

    def final_key(self, task: FinalSpec) -> str:
        """Return the hash of everything that this final's result depends on."""
        return content_hash(
            {
                "study": self.key,
                "split": self.data.hash,
                "params": task.trial["config"],
                "steps": task.trial["best_step"],
                "train_on": task.part,
                "seed": task.seed,
                "metrics": applicable(self.context.suite, self.study),
            }
        )[:16]

    def is_done(self, task: FinalSpec) -> bool:
        """Return whether the ledger has this final, and its part is the file that was written."""
        lines = self.context.ledger.lines("close", key=self.final_key(task), outcome="complete")
        return any(
            (self.run_dir / line["part"]).exists()
            and file_hash(self.run_dir / line["part"]) == line["sha256"]
            for line in lines
        )

    def _final(self, fork_server: ForkServer, scorers: ForkServer, task: FinalSpec) -> Line:
        entry, trial = self._identity(task), task.trial
        request = self._request(task)
        places = {"part": f"parts/{entry['key']}.parquet", "state": f"models/{entry['key']}.safetensors"}
        for_scorer = request | {name: str(self.run_dir / place) for name, place in places.items()}
        rule = self.data.manifest.candidates.rule
        for_scorer |= {"directory": str(self.data.directory), "candidates": rule}
        hold_s = self.context.policy.final_s(trial["charged_s"] * self._more_users())
        fitted, scored = FinalListener(self.context, entry["entry"]), FinalListener(self.context, None)
        limits = Limits(hold_s, self.slot.memory_mb, self.context.policy.ready_s)
        self.context.ledger.append("test-opened", entry=entry["entry"], split=self.data.hash)
        with ExitStack() as held:
            with _pipe() as (read, write):
                scorer = scorers.launch("benchmark.scorer:run", for_scorer, (read,))
                held.enter_context(closing(scorer))
                child = fork_server.launch("benchmark.trial:final", request, (write,))
                held.enter_context(closing(child))
            facts = {"config": trial["config"], "device": request["device"]}
            note_open(self.context.ledger, child, entry, hold_s=hold_s, **facts)
            ending = supervise(child, limits, fitted)
            scoring = supervise(scorer, replace(limits, hold_s=max(60.0, hold_s)), scored)
        line = self._close(task, entry, places, (ending, scoring), (fitted, scored))
        if "stopped" in {ending.ended_by, scoring.ended_by}:
            raise Interrupted
        return line

    def _request(self, task: FinalSpec) -> Message:
        """Return what both processes of a final must know; nothing in it leads to the stored split."""
        ranked = self.context.suite.finals.train_on
        return self.context.request(self.study, task.trial["config"], task.seed, self.slot) | {
            "steps": task.trial["best_step"],
            "train_on": ranked if task.part == DEFAULT else task.part,
            "keep_state": task.seed == 0 and task.part == ranked,
        }

    def _more_users(self) -> float:
        """Return how many users a final scores for each that its trial scored."""
        counts = self.data.manifest
        each: float = counts.n_users / max(1, counts.parts["valid"].users)
        return max(1.0, each)

    def _close(
        self,
        task: FinalSpec,
        entry: dict[str, Any],
        places: dict[str, str],
        endings: tuple[ExitReport, ExitReport],
        heard: tuple[FinalListener, FinalListener],
    ) -> Line:
        ending, fitted, scored = endings[0], heard[0].said, heard[1].said
        if scored.get("error", {}).get("kind") == "place":
            raise RunError(scored["error"]["message"])  # a full disk is not the model's failure
        outcome, reason = _classify(endings, fitted, scored)
        result: dict[str, Any] = {}
        if outcome == "complete":
            facts = {key: value for key, value in fitted["facts"].items() if key != "event"}
            result = facts | {key: scored["result"][key] for key in MEASURED} | places
        for said in (fitted, scored):
            if "error" in said:
                self.context.log(f"[{entry['entry']}] {said['error']['traceback']}")
        return self.context.ledger.append(
            "close",
            **entry,
            outcome=outcome,
            reason=reason,
            lease_s=round(ending.lease_s, 4),
            charged_s=round(ending.charged_s, 4),
            memory_mb=round(ending.memory_mb, 1),
            trial=task.trial["trial"],
            config=task.trial["config"],
            **result,
        )

    def _identity(self, task: FinalSpec) -> dict[str, Any]:
        key = self.final_key(task)
        attempt = sum(len(self.context.ledger.lines(event, key=key)) for event in ("open", "close"))
        return {
            "entry": f"{self.study.name}@{key}#final-{attempt}",
            "study": self.study.name,
            "key": key,
            "study_key": self.key,
            "dataset": self.study.dataset,
            "model": self.study.model,
            "role": "final",
            "train_on": task.part,
            "seed": task.seed,
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


def _classify(  # noqa: PLR0911 - a line for each outcome
    endings: tuple[ExitReport, ExitReport], fitted: dict[str, Message], scored: dict[str, Message]
) -> tuple[str, str]:
    ending, scoring = endings
    if "stopped" in {ending.ended_by, scoring.ended_by}:
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
        silent = f"the scorer ended without a word (exit code {scoring.code}, {scoring.ended_by})"
        return "infrastructure", scored.get("error", {}).get("message", silent)
    return "complete", "finished"
