"""Every command as a Python call, with keyword arguments.

A call bears the name of its command: ``run``, ``report``, ``pick`` and so on. Parts of a command have names
of their own: ``audit`` is ``bench data check``, ``fetch`` is ``bench data fetch``, ``melt`` is
``bench data melt``, ``dry_run`` is ``bench run --dry-run``, ``create_env`` is ``bench env create``, and
``load`` opens a bundle. All but ``metrics``, which a package of that name hides, can be imported from
``benchmark``.
"""

from benchmark.api.adapters import doctor, models
from benchmark.api.bundles import load, recommend, verify
from benchmark.api.competing import export_split, score
from benchmark.api.frameworks import check_env, create_env, env, remove_env
from benchmark.api.running import Pick, Run, diff, pick, report, run, runs
from benchmark.api.suites import audit, check, data, dry_run, fetch, init, melt, metrics, plan, schema

__all__ = [
    "Pick",
    "Run",
    "audit",
    "check",
    "check_env",
    "create_env",
    "data",
    "diff",
    "doctor",
    "dry_run",
    "env",
    "export_split",
    "fetch",
    "init",
    "load",
    "melt",
    "metrics",
    "models",
    "pick",
    "plan",
    "recommend",
    "remove_env",
    "report",
    "run",
    "runs",
    "schema",
    "score",
    "verify",
]
