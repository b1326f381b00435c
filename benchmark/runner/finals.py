"""Finals: the chosen configuration refitted with S seeds and scored on test, once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace

from benchmark.budget import rescaled
from benchmark.datasets.store.user_samples import finals_users
from benchmark.errors import AdapterError, Interrupted, RunError
from benchmark.executors.executor import Executor, ExecutorLost, ExitReport, Limits
from benchmark.executors.slots import Slot
from benchmark.hand_over import hand_over
from benchmark.latency import MOST_S
from benchmark.messages import FinalRequest, Measured, Message, ScoreRequest
from benchmark.metrics.register import parse_metric
from benchmark.records import (
    LOST,
    MACHINE,
    Cost,
    Ending,
    FinalOpened,
    FinalRecord,
    Measurements,
    TestOpened,
    TrialRecord,
    from_json,
)
from benchmark.results import RunDirectory
from benchmark.runner.child import EntryListener, cost
from benchmark.runner.context import RunContext, fit_request
from benchmark.runner.final_limits import (
    SCORE_S,
    SCORER_S,
    limit_in_words,
    most_pairs,
    scorer_hold_s,
    scoring_limit_s,
)
from benchmark.runner.list_scoring import ScorerListener, stored_scores
from benchmark.runner.ready import ReadyStudy
from benchmark.runner.room import rows_of
from benchmark.runner.stored_finals import FinalSpec, StoredFinals
from benchmark.runner.stored_lists import StoredListsScoring


@dataclass(kw_only=True)
class FinalListener(EntryListener[FinalOpened]):
    """Hears the model's process of a final."""

    measured: Measured | None = None

    def hear(self, message: Message, charged_s: float) -> Message | None:
        """Keep what was measured."""
        if isinstance(message, Measured):
            self.measured = message
        return super().hear(message, charged_s)


@dataclass(frozen=True)
class FinalsRun:
    """All finals of one model on one data set.

    Attributes:
        context: of the run.
        ready: the study.
        best: its best trial.
        default: the trial of its default configuration; None if it has no value, or nothing is tuned.
        slot: where they run.
        run_dir: where results are stored.
    """

    context: RunContext
    ready: ReadyStudy
    best: TrialRecord
    default: TrialRecord | None
    slot: Slot
    run_dir: RunDirectory

    def run(self) -> None:
        """Measure again what lacks metrics and has its lists; fit and score what has no committed result."""
        context, study = self.context, self.ready.study
        specs = list(self.specs())
        self.report(specs)
        self.measure_again(specs)
        todo = [spec for spec in specs if not self.is_done(spec)]
        if not todo:
            return context.fork_servers.drop(study)
        try:
            return context.retries.run(self.lent, lambda lent: self.run_finals(*lent, specs), context.stop)
        except AdapterError as error:
            opened = self.stored.opening(todo[0], hold_s=0.0, device="")
            context.ledger.append(opened.closed(Ending(MACHINE, str(error)), Cost()))

    @property
    def stored(self) -> StoredFinals:
        """What the run has stored of them already."""
        context = self.context
        return StoredFinals(context.suite, self.ready, context.ledger, self.run_dir)

    def specs(self) -> Iterator[FinalSpec]:
        """Return every final, that of the default configuration last: it is never ranked."""
        return self.stored.specs(self.best, self.default)

    def is_done(self, spec: FinalSpec) -> bool:
        """Return whether this final is stored with every metric that is wanted now."""
        return self.stored.is_done(spec)

    @contextmanager
    def lent(self) -> Iterator[tuple[Executor, Executor]]:
        """Lend the model's executor and a scorer's; after a fault the next scorer is new."""
        servers, ready = self.context.fork_servers, self.ready
        try:
            with servers.lend(ready.study, ready.data, self.slot, keep=False) as model:
                yield model, servers.scorer(self.slot)
        except (AdapterError, ExecutorLost):
            servers.drop_scorer(self.slot)
            raise

    def report(self, specs: list[FinalSpec]) -> None:
        """Say how many are done."""
        done = sum(self.is_done(spec) for spec in specs)
        self.context.watcher.final(self.ready.study.name, done, len(specs))

    def measure_again(self, specs: list[FinalSpec]) -> None:
        """Measure what stored lists lack, where they hold it; what cannot be measured so is fitted later.

        Raises:
            RunError: the result cannot be stored.
            Interrupted: the run was stopped.
        """
        again = StoredListsScoring(self.context, self.stored, self.slot)
        for spec in specs:
            if not self.is_done(spec) and again.measure(spec) is not None:
                self.report(specs)

    def run_finals(self, model: Executor, scorer: Executor, specs: list[FinalSpec]) -> None:
        """Run what is not done; after a failure the rest is not tried, for it would fail again."""
        for spec in specs:
            if self.is_done(spec):
                continue
            for _ in range(self.context.retries.finals):
                closed = self.run_final(model, scorer, spec)
                if closed.outcome not in {MACHINE, "timeout"}:
                    break
            self.report(specs)
            if closed.outcome != "complete":
                break

    def run_final(self, model: Executor, scorer: Executor, spec: FinalSpec) -> FinalRecord:
        """Refit and score, and write down how that ended.

        Raises:
            RunError: the result cannot be stored: that is not the model's failure.
            Interrupted: the run was stopped.
        """
        context, manifest = self.context, self.ready.data.manifest
        request = self.request(spec)
        hold_s = context.policy.final_s(spec.trial.charged_s)
        limits = Limits(
            hold_s,
            self.slot.memory_mb,
            context.policy.ready_s,
            scoring_s=self.scoring_s(spec, request, hold_s),
        )
        entry = self.stored.opening(spec, hold_s=hold_s, device=request.device)
        fitted = FinalListener(ledger=context.ledger, entry=entry)
        scored = ScorerListener()
        per_user, state = f"per_user/{entry.final_key}.parquet", f"models/{entry.final_key}.safetensors"
        to_score = ScoreRequest(
            name=request.name,
            metrics=request.metrics,
            rates=request.rates,
            train_on=request.train_on,
            directory=str(self.ready.data.directory),
            candidates=manifest.candidates.rule,
            seen=manifest.seen,
            per_user_path=str(self.run_dir / per_user),
            state_path=str(self.run_dir / state),
            hand_over=request.hand_over,
            users=request.users,
        )
        context.ledger.append(TestOpened(entry=entry.entry, split=self.ready.data.hash))
        with ExitStack() as held:
            with connected() as (mine, theirs):
                scoring_limits = replace(limits, hold_s=scorer_hold_s(limits))
                scoring = scorer.start("benchmark.scorer:run", to_score, scoring_limits, scored, (mine,))
                held.callback(scoring.close)
                fitting = model.start("benchmark.final_fit:final", request, limits, fitted, (theirs,))
                held.callback(fitting.close)
            report, scoring_report = fitting.wait(), scoring.wait()
        ending = self.ending(report, fitted, scoring_report, scored, limits)
        final = fitted.entry.closed(ending, cost(report))
        if ending.outcome == "complete":
            assert fitted.measured is not None
            assert scored.scored is not None
            final = replace(
                final,
                fit_s=fitted.measured.fit_s,
                measured=from_json(Measurements, {**asdict(fitted.measured), **fitted.measured.latency}),
                test=stored_scores(scored.scored, request.metrics, per_user, state),
            )
        for error in (fitted.error, scored.error):
            if error is not None:
                context.log(f"[{entry.entry}] {error.traceback}")
        context.ledger.append(final)
        if "stopped" in {report.ended_by, scoring_report.ended_by}:
            raise Interrupted
        return final

    def scoring_s(self, spec: FinalSpec, request: FinalRequest, hold_s: float) -> float:
        """Return the most seconds for handing over and rating, from what validation of the trial took."""
        manifest, trial = self.ready.data.manifest, spec.trial
        if trial.user_s is None:
            return max(SCORER_S, hold_s)
        users = manifest.n_users if request.users is None else len(request.users)
        limit_s = scoring_limit_s(users, trial.user_s, most_pairs(manifest), trial.pair_s)
        transferred = users * manifest.n_items if request.hand_over == "scores" else 0
        return limit_s + SCORE_S * transferred

    def asked_users(self) -> tuple[int, ...] | None:
        """Return whose lists or scores the model's process hands over; None for all users."""
        data = self.ready.data
        if data.manifest.test_sample is None:
            return None
        return tuple(finals_users(data.directory).tolist())

    def request(self, spec: FinalSpec) -> FinalRequest:
        """Return what the model's process must know; nothing in it leads to the stored split."""
        suite, trial, step_rows = self.context.suite, spec.trial, spec.trial.step_rows
        if step_rows is not None:
            study, manifest = self.ready.study, self.ready.data.manifest
            step_rows = rescaled(step_rows, rows_of(study, manifest), rows_of(study, manifest, spec.train_on))
        fit = fit_request(suite, self.ready.study, trial.config, spec.seed, self.slot, step_rows=step_rows)
        is_exported = spec.config_source == "tuned" and spec.train_on == suite.finals.train_on
        return FinalRequest(
            **asdict(fit),
            passes=trial.best_passes,
            train_on=spec.train_on,
            keep_state=is_exported and spec.seed == 0,
            hand_over=hand_over(
                [parse_metric(name) for name in fit.metrics], self.ready.data.manifest.candidates.rule
            ),
            users=self.asked_users(),
            latency_s=MOST_S / suite.finals.seeds,
        )

    def ending(
        self,
        report: ExitReport,
        fitted: FinalListener,
        scoring: ExitReport,
        scored: ScorerListener,
        limits: Limits,
    ) -> Ending:
        """Return how a final ended: what the model's process says first, then the scorer.

        Raises:
            RunError: the scorer could not write.
        """
        if scored.error is not None and scored.error.kind == "machine":
            raise RunError(scored.error.message)  # a full disk is not the model's failure
        if scoring.ended_by == "stopped":
            return Ending(LOST, "the run was stopped")
        pipe_broke = fitted.error is not None and fitted.error.kind == "machine"
        error = None if pipe_broke else fitted.error  # the scorer knows why
        fault = self.context.retries.fault(report, error, limits, unexplained=MACHINE)
        if fault is not None:
            return fault
        if report.ended_by in {"hold", "scoring"}:
            return Ending("timeout", limit_in_words(report.ended_by, limits))
        if scored.error is not None:
            refused = scored.error.kind == "nan"  # what the model's process handed over
            return Ending("broken" if refused else MACHINE, scored.error.message)
        if scored.scored is None:
            how = f"exit code {scoring.code}, ended by {scoring.ended_by}"
            return Ending(MACHINE, f"the scorer exited unexpectedly ({how})")
        return Ending("complete", "finished")


@contextmanager
def connected() -> Iterator[tuple[int, int]]:
    """Make a socket for two children; our ends are closed, so that each sees the other's end."""
    ends = socket.socketpair()
    try:
        yield ends[0].fileno(), ends[1].fileno()
    finally:
        for end in ends:
            end.close()
