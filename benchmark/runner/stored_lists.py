"""Finals whose metrics changed, measured on their stored lists: nothing is fitted, nobody is charged."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmark.executors.slots import Slot
from benchmark.lists_request import StoredListsRequest
from benchmark.records import MACHINE, FinalRecord
from benchmark.runner.context import RunContext
from benchmark.runner.list_scoring import HOLD_S, ListScoring, stored_scores
from benchmark.runner.stored_finals import FinalSpec, StoredFinals


@dataclass(frozen=True)
class StoredListsScoring:
    """Measures finals on lists that they stored, with the metrics that they lack.

    Attributes:
        context: of the run.
        stored: finals of the study.
        slot: where the scorer runs.
    """

    context: RunContext
    stored: StoredFinals
    slot: Slot

    def measure(self, spec: FinalSpec) -> FinalRecord | None:
        """Return the record of a final that was measured again; None if its lists do not hold what it lacks.

        Raises:
            RunError: the result cannot be stored.
            Interrupted: the run was stopped.
        """
        source = self.stored.with_lists(spec)
        if source is None:
            return None
        for _ in range(self.context.retries.finals):
            closed = self.attempt(spec, source)
            if closed.outcome != MACHINE:
                break
        return closed

    def attempt(self, spec: FinalSpec, source: FinalRecord) -> FinalRecord:
        """Open test, have the lists measured, and write down how that ended.

        All that the final had is measured or taken over, so that the new record can stand for both.
        """
        context, data = self.context, self.stored.ready.data
        opened = self.stored.opening(spec, hold_s=HOLD_S, device="", lists_of=source.entry)
        had, wanted = source.scores, self.stored.wanted
        metrics = (*wanted, *(name for name in had.metrics if name not in wanted))
        per_user = f"per_user/{opened.final_key}.parquet"
        request = StoredListsRequest(
            name=self.stored.ready.study.adapter.name,
            metrics=metrics,
            train_on=spec.train_on,
            directory=str(data.directory),
            candidates=data.manifest.candidates.rule,
            seen=data.manifest.seen,
            per_user_path=str(self.stored.run_dir / per_user),
            test_sampled=data.manifest.test_sample is not None,
            stored=str(self.stored.run_dir / had.path),
            values=had.values,
        )
        scoring = ListScoring(self.stored.run_dir, context.ledger, context.fork_servers, context.retries)
        ended = scoring.open_test(opened, data.hash, request, self.slot)
        closed = opened.closed(ended.ending, ended.cost)
        if closed.outcome == "complete":
            assert ended.scored is not None
            scores = stored_scores(ended.scored, metrics, per_user)
            closed = replace(
                closed,
                device=source.device,
                memory_mb=source.memory_mb,
                fit_s=source.fit_s,
                measured=source.measured,
                test=replace(scores, state_path=had.state_path, state_sha256=had.state_sha256),
            )
        scoring.close(closed, ended.error)
        return closed
