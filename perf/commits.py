"""Two commits side by side in one environment: values of default and of tuned configurations, time of a run.

    python perf/commits.py OLD NEW [--only default|tuned] [--logs NAME ...] [--models NAME ...]
    python perf/commits.py OLD NEW --make-run

Each commit is checked out into a worktree of its own, which comes before anything that is installed, and
what numba compiles is compiled first. Values: the models of suites/movielens.yaml on MovieLens-100K and 1M,
both commits at the same time, a core each, which they change after each run.

- default: one trial a model, the default configuration, five refits. Test values are equal if they differ by
  no more than seeds do (Welch's t over refits, Bonferroni over models) or by no more than ``SAME``.
- tuned: a study for each of three search seeds. A model's mean over them may be lower by the margin, 3 %.

--make-run times what `make run` runs, suites/movielens.yaml, one commit after the other: three pairs, the
first commit of a pair in turn. The median ratio may be 1.05. $BENCH_DATA names the folder of data sets.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from run_results import Result, results_of
from scipy import stats

PRIMARY = "ndcg@10"
LOGS = ("movielens-100k", "movielens-1m")
SUITE = Path("suites/movielens.yaml")
SAME = 0.0005
MARGIN = 0.03
SEARCH_SEEDS = (0, 1, 2)
PAIRS, RATIO = 3, 1.05
COMMITS = ("old", "new")


@dataclass(frozen=True)
class Compared:
    """One model on one log, by both commits: test values and what came of the first."""

    log: str
    model: str
    old: tuple[float, ...]
    new: tuple[float, ...]
    outcomes: str
    holds: bool

    def line(self) -> str:
        """Return the row of the table."""
        old, new = (np.mean(values) if values else float("nan") for values in (self.old, self.new))
        change = f"{100 * (new / old - 1):+.1f} %" if self.old and self.new else "-"
        verdict = "" if self.holds else "  WORSE OR DIFFERENT"
        cells = f"{old:>9.4f}{new:>9.4f}{change:>9}  {len(self.old)}/{len(self.new)} {self.outcomes}"
        return f"{self.log:<16}{self.model:<22}{cells}{verdict}"


@contextlib.contextmanager
def worktrees(options: argparse.Namespace, scratch: Path) -> Iterator[dict[str, Path]]:
    """Check both commits out; they are removed in the end."""
    here, trees = Path(__file__).parents[1], {}
    try:
        for name in COMMITS:
            trees[name] = scratch / name
            words = ["worktree", "add", "--quiet", "--detach", str(trees[name]), getattr(options, name)]
            subprocess.run(["git", "-C", str(here), *words], check=True)
            found = run_python(trees[name], "-c", "import benchmark; print(benchmark.__file__)")
            if not Path(found.strip()).is_relative_to(trees[name]):
                sys.exit(f"{name}: python imports {found.strip()}, not the worktree's benchmark")
            run_python(trees[name], "-c", f"import {compiled(trees[name])}")
        yield trees
    finally:
        for tree in trees.values():
            words = ["worktree", "remove", "--force", str(tree)]
            subprocess.run(["git", "-C", str(here), *words], check=False)


def compiled(tree: Path) -> str:
    """Return the modules that `make` compiles before anything runs, so that no trial waits for it."""
    lines = (tree / "Makefile").read_text(encoding="utf-8").splitlines()
    return next(line.partition(":=")[2].strip() for line in lines if line.startswith("COMPILED :="))


def environment(tree: Path) -> dict[str, str]:
    """Return the environment in which a worktree's code runs."""
    return os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}


def run_python(tree: Path, *words: str) -> str:
    """Return what Python prints."""
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=tree, env=environment(tree), check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def started(tree: Path, suite: Path, out: Path, core: int | None = None) -> subprocess.Popen[bytes]:
    """Start `bench run`, on one core if one is named; what it prints goes into a file beside its run."""
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    words = ["-m", "benchmark.cli", "run", str(suite), "--out", str(out), "--quiet"]
    with Path(f"{out}.txt").open("wb") as log:
        command = [*pinned, sys.executable, *words]
        return subprocess.Popen(
            command, cwd=tree, env=environment(tree), stdout=log, stderr=subprocess.STDOUT
        )


def ended(program: subprocess.Popen[bytes], out: Path) -> None:
    """Wait for a run; where it failed, show what it printed last."""
    if program.wait():
        print(f"{out.name} ended with {program.returncode}:\n", Path(f"{out}.txt").read_text("utf-8")[-2000:])
        if not (out / "ledger.jsonl").exists():
            sys.exit(2)


def suite_of(options: argparse.Namespace, tree: Path, **changes: Any) -> dict[str, Any]:
    """Return the suite of a comparison: the models and rules of suites/movielens.yaml on these logs."""
    shipped = yaml.safe_load((tree / SUITE).read_text(encoding="utf-8"))
    models = options.models or shipped["models"]
    metrics = {"primary": PRIMARY, "also": ["rmse"]}
    suite = {key: shipped[key] for key in ("prepare", "split", "budget")}
    suite |= {"name": "commits", "datasets": list(options.logs), "metrics": metrics, "models": models}
    suite["budget"]["slot"]["gpu"] = False
    suite["budget"] |= changes.pop("budget")
    return suite | changes


def both(
    trees: dict[str, Path], suite: dict[str, Any], scratch: Path, turn: int
) -> dict[str, dict[tuple[str, str], Result]]:
    """Return the results of one suite by both commits, run at the same time where there are two cores."""
    path = scratch / f"suite-{suite['seed']}-{turn}.yaml"
    path.write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
    cores = sorted(os.sched_getaffinity(0))
    running = []
    for place, name in enumerate(COMMITS):
        out = scratch / f"{path.stem}-{name}"
        core = cores[(place + turn) % 2] if len(cores) > 1 else None
        running.append((started(trees[name], path, out, core), out))
        if core is None:
            ended(*running[-1])
    for program, out in running:
        ended(program, out)
    return {name: results_of(out, PRIMARY) for name, (_, out) in zip(COMMITS, running, strict=True)}


def tests(result: Result) -> tuple[float, ...]:
    """Return the test values of a result's refits."""
    return tuple(values[PRIMARY] for values in result.tests)


def ends(old: Result, new: Result) -> str:
    """Return how the best trials of both ended: their steps, marked where the clock ended them."""
    return " and ".join(
        f"{one.steps} steps{' (clock)' if one.truncated else ''}" if one.steps else one.reason or one.outcome
        for one in (old, new)
    )


def equal(old: tuple[float, ...], new: tuple[float, ...], models: int) -> bool:
    """Return whether there are values of both, and they differ by no more than seeds do."""
    if not old or not new:
        return False
    difference = abs(float(np.mean(old) - np.mean(new)))
    if min(len(old), len(new)) < 2:
        return difference <= SAME
    found = stats.ttest_ind(old, new, equal_var=False)
    return difference <= SAME or float(found.pvalue) > 0.05 / models


def defaults(trees: dict[str, Path], options: argparse.Namespace, scratch: Path) -> list[Compared]:
    """Return each model's default configuration by both commits."""
    budget = {"per_model": options.budget or "240s", "max_trials": 1}
    finals = {"seeds": 5, "train_on": "train", "default": False}
    found = both(trees, suite_of(options, trees["old"], budget=budget, finals=finals, seed=0), scratch, 0)
    compared = []
    for key, old in found["old"].items():
        new = found["new"][key]
        values = tests(old), tests(new)
        holds = equal(*values, models=len(found["old"]))
        compared.append(Compared(*key, *values, ends(old, new), holds))
    return compared


def tuned(trees: dict[str, Path], options: argparse.Namespace, scratch: Path) -> list[Compared]:
    """Return each model tuned with each search seed by both commits; a value is the mean of its refits."""
    budget = {"per_model": options.budget or "45s"}
    finals = {"seeds": 2, "train_on": "train", "default": False}
    rounds = []
    for turn, seed in enumerate(SEARCH_SEEDS):
        suite = suite_of(options, trees["old"], budget=budget, finals=finals, seed=seed)
        rounds.append(both(trees, suite, scratch, turn))
        print(f"search seed {seed} is done", flush=True)
    compared = []
    for key in rounds[0]["old"]:
        values: dict[str, tuple[float, ...]] = {}
        for name in COMMITS:
            of_rounds = [tests(one[name][key]) for one in rounds]
            values[name] = tuple(float(np.mean(one)) for one in of_rounds if one)
        trials = " and ".join(
            f"{np.mean([one[name][key].trials for one in rounds]):.0f} trials" for name in COMMITS
        )
        holds = len(values["new"]) >= len(values["old"])
        if values["old"] and values["new"]:
            holds &= bool(np.mean(values["new"]) >= (1 - MARGIN) * np.mean(values["old"]))
        compared.append(Compared(*key, values["old"], values["new"], trials, holds))
    return compared


def make_runs(trees: dict[str, Path], scratch: Path) -> dict[str, Any]:
    """Return the seconds of suites/movielens.yaml by both commits, and their ratios."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMITS}
    for turn in range(PAIRS):
        for name in COMMITS if turn % 2 == 0 else reversed(COMMITS):
            out, start = scratch / f"make-{name}-{turn}", time.monotonic()
            ended(started(trees[name], trees[name] / SUITE, out), out)
            seconds[name].append(time.monotonic() - start)
            print(f"{name}: {seconds[name][-1]:.0f} s", flush=True)
    ratios = [new / old for old, new in zip(seconds["old"], seconds["new"], strict=True)]
    return {"seconds": seconds, "ratios": ratios, "median": float(np.median(ratios))}


def main() -> int:
    """Compare, print the tables, and return 1 if the new commit is worse."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", help="commit to compare with")
    parser.add_argument("new", help="commit that is compared")
    parser.add_argument("--only", choices=("default", "tuned"), help="one half")
    parser.add_argument("--logs", nargs="+", choices=LOGS, default=LOGS, metavar="NAME", help="which logs")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--budget", metavar="TIME", help="a model (default: 240s, where tuned 45s)")
    parser.add_argument("--make-run", action="store_true", help="time suites/movielens.yaml instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-commits-") as folder:
        scratch = Path(folder)
        with worktrees(options, scratch) as trees:
            if options.make_run:
                found["make run"] = make_runs(trees, scratch)
                median = found["make run"]["median"]
                met = median <= RATIO
                print(f"median ratio {median:.3f}, goal {RATIO}: {'met' if met else 'MISSED'}")
            else:
                met = True
                for name, part in (("default", defaults), ("tuned", tuned)):
                    if options.only in {None, name}:
                        (scratch / name).mkdir()
                        compared = part(trees, options, scratch / name)
                        met &= show(name, compared)
                        found[name] = [asdict(one) for one in compared]
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if met else 1


def show(name: str, compared: list[Compared]) -> bool:
    """Print a table; return whether every model holds."""
    print(f"\n{name}: mean test {PRIMARY} of the old and of the new commit")
    for one in compared:
        print(one.line())
    bad = sum(not one.holds for one in compared)
    print(f"{len(compared)} models, {bad} of them differ: {'MISSED' if bad else 'met'}")
    return not bad


if __name__ == "__main__":
    sys.exit(main())
