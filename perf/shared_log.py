"""What a large log costs the processes that learn from it: seconds and memory until a trial is ready.

    python perf/shared_log.py [--rows 25000000] [--children 10] [--json FILE]

The log has the shape of MovieLens-25M and is made and stored once, in a cache folder: 80 % of the rows are
train, 10 % validation, 30 % are liked. Measured are a fork server that loads it, a trial of a ranker and
of a rating model from its start until it says that it is ready, with all users of validation and with 6,500
of them, and as many trials as asked for at once. Memory is what counts against a slot, polled every 10 ms;
beside it stands the sum of proportional set sizes, in which every page of the machine counts once.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from large_log import Shape, large
from platformdirs import user_cache_path

from benchmark.datasets.store.parts import write_part
from benchmark.executors.local import ForkServer, Preload
from benchmark.executors.slots import Slot
from benchmark.executors.supervision import Child
from benchmark.executors.tree_memory import tree_memory_mb
from benchmark.messages import FitRequest, Ready
from benchmark.protocol import Interactions
from benchmark.runner.fork_servers import ROOT

SAMPLE = 6_500
"""Users of the smaller validation."""
LIKED = 4.0
MODELS = {
    "ranker": ("adapters.native.ials", "adapters.native.ials:Ials", ("ndcg@10", "recall@10"), False),
    "rating model": ("adapters.surprise.factors", "adapters.surprise.factors:Svd", ("rmse",), True),
}
"""Module to import, adapter, metrics, and whether ratings are measured."""


def stored(rows: int, cache: Path) -> dict[str, Path]:
    """Return the folders of the stored log, by who is validated on; they are made if they are not there."""
    folders = {"all users": cache / f"shared-{rows}", f"{SAMPLE:,} users": cache / f"shared-{rows}-sampled"}
    whole, sampled = folders.values()
    if (sampled / "valid" / "part.json").exists():
        return folders
    full = Shape()
    shape = Shape(max(2, full.users * rows // full.interactions), full.items, rows)
    frame = large(shape).frame
    log = Interactions(
        users=(frame["user"].to_numpy() - 1).astype(np.int32),
        items=(frame["item"].to_numpy() - 1).astype(np.int32),
        values=frame["value"].to_numpy(np.float32),
        times=frame["time"].to_numpy(np.int64),
        positive=frame["value"].to_numpy() >= LIKED,
        n_users=shape.users,
        n_items=shape.items,
        scale=(0.5, 5.0),
    )
    del frame
    rng = np.random.default_rng(0)
    drawn = rng.random(rows)
    write_part([log.rows(drawn < 0.8)], None, whole / "train", liked=True)
    valid = log.rows((drawn >= 0.8) & (drawn < 0.9))
    write_part([valid], None, whole / "valid", liked=False)
    write_part([log.rows(drawn < 0.9)], None, whole / "train+valid", liked=True)
    chosen = np.zeros(shape.users, dtype=np.bool_)
    chosen[rng.permutation(shape.users)[:SAMPLE]] = True
    sampled.mkdir(parents=True, exist_ok=True)
    for part in ("train", "train+valid"):
        (sampled / part).symlink_to(whole / part)
    write_part([valid.rows(chosen[valid.users])], None, sampled / "valid", liked=False)
    return folders


def until_ready(child: Child) -> dict[str, float]:
    """Return seconds until a child is ready, those on a core, and its memory until then in MiB."""
    peak_mb = 0.0
    while not child.channel.waiting(0.01):
        peak_mb = max(peak_mb, tree_memory_mb(child.pid))
    message = child.channel.receive()
    assert isinstance(message, Ready), message
    seconds = time.monotonic() - child.born
    held_mb = tree_memory_mb(child.pid)
    status = Path(f"/proc/{child.pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    core_s = (int(status[11]) + int(status[12])) / os.sysconf("SC_CLK_TCK")
    return {"seconds": seconds, "core_s": core_s, "held_mb": held_mb, "peak_mb": max(peak_mb, held_mb)}


def proportional_mb(pid: int) -> float:
    """Return the memory of a process in which a page that n processes share counts as an n-th, in MiB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return int(text.split("Pss:")[1].split()[0]) / 1024


def measure(rows: int, children: int, cache: Path) -> dict[str, dict[str, float]]:
    """Return seconds and memory of each step."""
    found: dict[str, dict[str, float]] = {}
    slot = Slot((), 1e6)
    folders = stored(rows, cache)
    size_mb = sum(path.stat().st_size for path in folders["all users"].rglob("*.npy")) / 2**20
    found["files of train and validation"] = {"held_mb": size_mb}
    with ForkServer(slot, ROOT, log=print) as root:
        found["root, nothing loaded"] = {"held_mb": tree_memory_mb(root.pid)}
        for name, (module, target, metrics, rates) in MODELS.items():
            request = FitRequest(
                target=target,
                name=name,
                params={},
                seed=0,
                threads=1,
                device="cpu",
                metrics=metrics,
                rates=rates,
            )
            with ForkServer(
                slot, Preload([module], "benchmark.scorer:load", {}), log=print, root=root
            ) as idle:
                found[f"fork server of a {name}, nothing loaded"] = {"held_mb": tree_memory_mb(idle.pid)}
            for users, folder in folders.items():
                preload = Preload([module], "benchmark.trial:load", {"directory": str(folder)})
                began = time.monotonic()
                with ForkServer(slot, preload, log=print, root=root, ready_s=600.0) as server:
                    took = time.monotonic() - began
                    found[f"fork server of a {name}, {users}"] = {
                        "seconds": took,
                        "held_mb": tree_memory_mb(server.pid),
                    }
                    with closing(server.launch("benchmark.trial:run", request)) as child:
                        found[f"trial of a {name}, {users}"] = until_ready(child)
                    if name == "ranker" and folder != folders["all users"]:
                        many = [server.launch("benchmark.trial:run", request) for _ in range(children)]
                        for child in many:
                            until_ready(child)
                        found[f"{children} trials at once, {users}"] = {
                            "held_mb": sum(tree_memory_mb(child.pid) for child in many),
                            "proportional_mb": sum(proportional_mb(child.pid) for child in many),
                        }
                        for child in many:
                            child.close()
    return found


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=Shape().interactions, help="rows of the log")
    parser.add_argument("--children", type=int, default=10, help="trials at once")
    parser.add_argument("--cache", type=Path, default=user_cache_path("recsys-bench") / "scale")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    options = parser.parse_args()
    found = measure(options.rows, options.children, options.cache)
    columns = {
        "seconds": "seconds",
        "core_s": "core s",
        "held_mb": "held MB",
        "peak_mb": "peak MB",
        "proportional_mb": "PSS MB",
    }
    print(f"{'':<52}" + "".join(f"{title:>9}" for title in columns.values()))
    for step, figures in found.items():
        cells = [figures.get(column) for column in columns]
        print(f"{step:<52}" + "".join(f"{'' if cell is None else f'{cell:.2f}':>9}" for cell in cells))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
