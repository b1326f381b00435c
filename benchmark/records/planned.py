"""What a run is about to do, and on which machine: the studies and the hardware of its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from benchmark.protocol import Feedback, Use
from benchmark.provenance import EnvironmentRecord
from benchmark.records.as_json import StoredSpace
from benchmark.records.lists import ListsSource
from benchmark.records.outcomes import Params

LISTS = "lists"
"""In place of library and adapter, where lists were made elsewhere."""


@dataclass(frozen=True)
class Exclusion:
    """Why a study does not run: "skipped" for want of a library, "n/a" where the model does not apply."""

    status: Literal["skipped", "n/a"]
    reason: str


@dataclass(frozen=True, kw_only=True)
class StudyRecord:
    """A study as planned: what the manifest says about one model on one data set.

    Attributes:
        dataset: label of the data set.
        model: name on the board.
        adapter: name of the adapter, library/name.
        library: first part of the adapter's name.
        feedback: what it trains on.
        rates: whether it predicts ratings.
        deterministic: whether the seed changes nothing.
        devices: where it can run.
        from_features: which of "users" and "items" it scores by features.
        space: tuned hyperparameters.
        default: the configuration of trial 0.
        published: the configuration of trial 1; None where the adapter names none.
        excluded: why it does not run; None where it does.
        key: hash of everything that its results depend on; empty before its data are known.
        budget_s: device-seconds that it may spend; None in runs of earlier versions: the suite's.
        uses: which of "weights", "negatives" and "graph" it takes into account.
        environment: that it runs in; None for our own Python.
        from_graph: whether it scores items by the knowledge graph.
        lists: where its lists come from, if they were made elsewhere and can be scored; else None.
    """

    dataset: str
    model: str
    adapter: str
    library: str
    feedback: Feedback
    rates: bool
    deterministic: bool
    devices: tuple[str, ...]
    from_features: tuple[str, ...]
    space: StoredSpace
    default: Params
    published: Params | None
    excluded: Exclusion | None = None
    key: str = ""
    budget_s: float | None = None
    uses: tuple[Use, ...] = ()
    environment: EnvironmentRecord | None = None
    from_graph: bool = False
    lists: ListsSource | None = None

    @property
    def name(self) -> str:
        """The study's name in ledger and journal."""
        return f"{self.dataset}/{self.model}"

    @property
    def tuned(self) -> bool:
        """Whether a model is tuned here; False for lists made elsewhere."""
        return self.adapter != LISTS


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """The machine a run was made on, and the versions it was made with.

    Attributes:
        python: version.
        platform: operating system and kernel.
        processor: its name.
        cores: that this process may use.
        memory_mb: of the machine, MiB.
        gpus: names of the GPUs that the driver shows.
        versions: of our own code, what computes in it, and the libraries of the adapters.
        hash: content hash of all of the above.
        pid: of the process that made the run.
    """

    python: str
    platform: str
    processor: str
    cores: int
    memory_mb: int
    gpus: tuple[str, ...]
    versions: Mapping[str, str]
    hash: str = ""
    pid: int = 0
