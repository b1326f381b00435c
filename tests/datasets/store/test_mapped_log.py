"""What a process takes for itself when it opens a stored log of three million rows: next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets.store.parts import write_part
from benchmark.protocol import Interactions

ROWS, USERS, ITEMS, JUDGED = 3_000_000, 20_000, 5_000, 500

CHILD = """
import json, sys
import numpy as np
import benchmark.scorer, scipy.sparse
from adapters.baselines import Popularity
from benchmark import trial
from benchmark.cold_start import Cold
from benchmark.fit import handed_to
from benchmark.metrics.register import parse_metric
from benchmark.traits import traits

def anonymous_mb():
    status = open("/proc/self/status").read()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024

metrics = [parse_metric("ndcg@10"), parse_metric("rmse")]
marks = [anonymous_mb()]
parts = trial.load(sys.argv[1])
marks.append(anonymous_mb())
rows = handed_to(traits(Popularity), parts.both)
assert rows.positive.all()
marks.append(anonymous_mb())
evaluator = trial.evaluator_for(parts.valid, parts.train, metrics, parts.train, parts.candidates, "fake")
marks.append(anonymous_mb())
cold = Cold.from_log(rows)
marks.append(anonymous_mb())
print(json.dumps({"grown": np.diff(marks).tolist(), "rows": len(rows), "users": len(evaluator.users)}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    log = Interactions(
        users=rng.integers(0, USERS, ROWS, dtype=np.int32),
        items=rng.integers(0, ITEMS, ROWS, dtype=np.int32),
        values=rng.integers(1, 6, ROWS).astype(np.float32),
        times=np.arange(ROWS),
        positive=rng.random(ROWS) < 0.5,
        n_users=USERS,
        n_items=ITEMS,
        scale=(1, 5),
    )
    folder = tmp_path_factory.mktemp("split")
    write_part([log], None, folder / "train", liked=True)
    write_part([log.rows(log.users < JUDGED)], None, folder / "valid", liked=False)
    write_part([log], None, folder / "train+valid", liked=True)
    return folder


def test_process_that_opens_a_log_of_60_mb_and_sets_a_trial_up_takes_a_few(folder: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    found = json.loads(answer)
    loaded, handed, evaluator, cold = found["grown"]
    assert (found["rows"] > ROWS / 3, found["users"]) == (True, JUDGED)
    assert loaded < 3
    assert handed < 1
    assert evaluator < 15  # proportional to the rows of the users who are judged
    assert cold < 5
