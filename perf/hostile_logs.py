"""Read logs as hostile as people's own, drawn by hypothesis, whose truth is known.

    python perf/hostile_logs.py [--logs 2000] [--seed 0] [--json FILE]

Each log is drawn with its ids, values, times, separator, encoding, quoting, compression and format, written,
and read: with no key first, then with the keys that it needs. Shown is how many were read exactly without a
key, with keys, or refused, and every fault: another truth, a traceback, over 2 s of CPU, over 500 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from hostile_logs import HostileLog, hostile_logs, judge

CPU_S = 2.0
PEAK_MB = 500.0
REFUSED_SHARE = 0.2


@dataclass
class Tally:
    """What became of the logs read so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    slowest_s: float = 0.0

    def read(self, log: HostileLog) -> None:
        """Read one log and count what became of it."""
        with tempfile.TemporaryDirectory() as folder:
            start = time.process_time()
            try:
                self.outcomes[judge(log, Path(folder))] += 1
            except Exception as error:  # noqa: BLE001 (a traceback is what is looked for)
                kind = f"{type(error).__name__}: {str(error).replace(folder, '')[:110]}"
                self.faults[kind] += 1
                self.examples.setdefault(
                    kind, f"{log.keys} {dict(log.cures)}\n{next(iter(log.files.values()))[:300]!r}\n"
                    + traceback.format_exc(limit=-2)
                )  # fmt: skip
            spent = time.process_time() - start
        self.slowest_s = max(self.slowest_s, spent)
        if spent > CPU_S:
            self.faults[f"took over {CPU_S:g} s of CPU"] += 1


def main() -> int:
    """Draw, write and read; return 1 if any log was misread, crashed or took too much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--logs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--examples", action="store_true", help="show one log of each fault")
    options = parser.parse_args()
    tally = Tally()

    @seed(options.seed)
    @settings(
        max_examples=options.logs,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(hostile_logs())
    def read(log: HostileLog) -> None:
        tally.read(log)

    read()
    total = sum(tally.outcomes.values()) + sum(tally.faults.values())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if peak_mb > PEAK_MB:
        tally.faults[f"peak memory {peak_mb:.0f} MB, {PEAK_MB:g} allowed"] += 1
    refused = tally.outcomes["refused"] / max(total, 1)
    if refused > REFUSED_SHARE:
        tally.faults[f"{refused:.0%} refused, {REFUSED_SHARE:.0%} allowed"] += 1
    for outcome, count in tally.outcomes.most_common():
        print(f"{count:6}  {outcome}")
    for fault, count in tally.faults.most_common():
        print(f"{count:6}  FAULT {fault}")
        if options.examples and fault in tally.examples:
            print("        " + tally.examples[fault].replace("\n", "\n        "))
    print(f"{total} logs, slowest {tally.slowest_s:.2f} s of CPU, peak {peak_mb:.0f} MB")
    if options.json:
        found = {"outcomes": tally.outcomes, "faults": tally.faults, "logs": total,
                 "slowest_s": tally.slowest_s, "peak_mb": peak_mb}  # fmt: skip
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
