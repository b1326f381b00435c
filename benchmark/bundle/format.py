"""What a bundle's folder holds, and how it is read without trusting it.

bundle.json               what it is: adapter, hyperparameters, versions, data, scores
model.safetensors         the adapter's state
seen.safetensors          what is left out of each user's lists, as the index arrays of a sparse matrix (U, I)
popularity.safetensors    positives of each item in the training data (I,), for unknown users
cold.safetensors          users and items without a training row, and items that are not candidates
users.json, items.json    raw ids in the order of dense ids; titles
golden.json               lists that the run stored, to compare with
README.md                 the model card
pick.md, pick.json        why this model, where `bench pick` made the bundle
SHA256SUMS                the hash of every other file, as ``sha256sum --check`` reads it

Only these names are ever opened. Hashes find damage; they prove no origin.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from benchmark.errors import AdapterError, BundleError, MissingLibrary, NotOffered
from benchmark.protocol import Array, Feedback, Hyperparameter
from benchmark.provenance import EnvironmentRecord, Provenance
from benchmark.registry import requirement

FORMAT = 3
"""Version of the files. Bump when they change: a bundle of another version is refused, not guessed at."""
MANIFEST, SUMS = "bundle.json", "SHA256SUMS"
REQUIRED = (
    *(MANIFEST, "model.safetensors", "seen.safetensors", "popularity.safetensors", "cold.safetensors"),
    *("users.json", "items.json", "golden.json", "README.md"),
)
OPTIONAL = ("pick.md", "pick.json")
GOLDEN_USERS, GOLDEN_K = 20, 10
MOST_BYTES = 1 << 24
"""A bundle.json over 16 MB is not one of ours; it is not read."""

_SUM_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


@dataclass(frozen=True, kw_only=True)
class ModelOrigin:
    """How the model was made.

    Attributes:
        adapter: name of the adapter, library/name.
        library: first part of that name.
        feedback: what it trained on.
        train_on: the parts that it trained on, "train" or "train+valid".
        seed: of the model.
        steps: that it trained.
        environment: that it was trained in; None for our own Python. Nothing that is served needs it.
        package: the distribution of others that publishes the adapter, "name==version"; None for our own.
        libraries: the distribution of each library that the adapter wraps, "name==version", by module.
    """

    adapter: str
    library: str
    feedback: Feedback
    train_on: str
    seed: int
    steps: int
    environment: EnvironmentRecord | None = None
    package: str | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)

    def missing(self, error: ImportError) -> str | None:
        """Return what is not installed, with its version and the command that installs it.

        None of a module that the run did not write down.
        """
        tops = {module.partition(".")[0]: pin for module, pin in self.libraries.items()}
        pin = tops.get((error.name or "").partition(".")[0])
        if pin is None:
            return None
        return f"needs {pin.replace('==', ' ')}, which is not installed: pip install '{requirement(pin)}'"


@dataclass(frozen=True, kw_only=True)
class DataOrigin:
    """The data that it was made from.

    Attributes:
        dataset: label of the data set.
        provenance: where the log came from; without the folders of the machine that read it.
        rule: by which it was split.
        split_sha256: content hash of the split.
        prepared_sha256: content hash of the prepared log.
        positive: the condition for a positive row; None if every row is one.
        pairs: whether a user has one row for an item, or comes back to it.
        n_users: U.
        n_items: I.
        negative: the condition for a known dislike; None if there is none.
        weight: where weights come from; None if all rows count alike.
    """

    dataset: str
    provenance: Provenance
    rule: Mapping[str, object]
    split_sha256: str
    prepared_sha256: str
    positive: str | None
    n_users: int
    n_items: int
    pairs: Literal["once", "repeat"] = "once"
    negative: str | None = None
    weight: str | None = None


@dataclass(frozen=True)
class Score:
    """A value on test, with its interval over users where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class BoardExcerpt:
    """What the board said of the model: its mean over seeds, not this very model alone.

    Attributes:
        reference: the model that the others were compared with.
        primary: the metric that ranks.
        score: mean over seeds, with its interval over users.
        seeds: refits that entered the mean.
        level: of the intervals.
    """

    reference: str | None
    primary: str
    score: Score
    seeds: int
    level: float


@dataclass(frozen=True, kw_only=True)
class MeasuredCost:
    """What the run measured of this very model, and on what.

    Attributes:
        latency_ms_p50: median milliseconds of one user's scores.
        latency_ms_p95: 95th percentile of the same.
        latency_ms_p95_low: lower end of its 95 % interval; None in runs of before.
        latency_ms_p95_high: upper end.
        memory_mb: peak memory of its processes while it trained, MiB.
        size_mb: of its state, MiB.
        params: numbers in its state.
        device: "cpu" or "cuda".
        processor: name of the machine's.
    """

    latency_ms_p50: float
    latency_ms_p95: float
    memory_mb: float | None
    size_mb: float | None
    params: int | None
    device: str
    processor: str
    latency_ms_p95_low: float | None = None
    latency_ms_p95_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class RunReference:
    """The run that it came from: suite, content hash of the suite, and key of the final."""

    suite: str
    suite_sha256: str
    final_key: str


@dataclass(frozen=True, kw_only=True)
class BundleManifest:
    """What bundle.json says.

    Attributes:
        model: name on the board.
        origin: how it was made.
        params: its hyperparameters.
        data: what it was made from.
        versions: of Python, our own code, and the libraries of the adapters.
        environment_sha256: content hash of machine and versions.
        scores: this very model's value on test of each metric.
        board: what the board said of the model.
        measured: what it costs.
        tie_seed: seed of the order among equal scores: the one that the run ranked with.
        hidden: what is never recommended again, in words.
        run: where it came from.
        seen: which of a user's known items are left out of the lists.
        format: version of the files.
    """

    model: str
    origin: ModelOrigin
    params: Mapping[str, Hyperparameter]
    data: DataOrigin
    versions: Mapping[str, str]
    environment_sha256: str
    scores: Mapping[str, Score]
    board: BoardExcerpt
    measured: MeasuredCost
    tie_seed: int
    hidden: str
    run: RunReference
    seen: Literal["hide", "allow", "hide-negative"] = "hide"
    format: int = FORMAT


_MANIFEST = TypeAdapter(BundleManifest)


@dataclass(frozen=True)
class Files:
    """A bundle's folder whose bundle.json is whole.

    Attributes:
        path: the folder.
        manifest: bundle.json.
        sums: SHA-256 of each file, as SHA256SUMS lists it.
    """

    path: Path
    manifest: BundleManifest
    sums: Mapping[str, str]

    def faults(self) -> dict[str, str]:
        """Return what is wrong with each file that is not as SHA256SUMS says; empty if all are."""
        unknown = [name for name in self.sums if name not in (*REQUIRED, *OPTIONAL)]
        found = {SUMS: f"lists {', '.join(unknown)}, not part of a bundle"} if unknown else {}
        for name in (*REQUIRED, *(name for name in OPTIONAL if name in self.sums)):
            if name not in self.sums:
                found[name] = f"is not listed in {SUMS}"
                continue
            try:
                with open_plain(self.path / name) as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                found[name] = f"cannot be read ({error.strerror or error})"
                continue
            if digest != self.sums[name]:
                found[name] = f"does not match its hash in {SUMS}"
        return found

    def arrays(self, name: str) -> dict[str, Array]:
        """Return the named arrays of a file.

        Raises:
            BundleError: it is not a safetensors file.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            return load((self.path / name).read_bytes())
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"{self.path / name}: not a readable safetensors file ({error}); export the bundle again"
            ) from error

    def json(self, name: str) -> Mapping[str, Any]:
        """Return the object in a JSON file.

        Raises:
            BundleError: it does not hold one.
        """
        return json_object((self.path / name).read_bytes(), self.path / name)


def open_bundle(path: Path) -> Files:
    """Return a bundle's folder after checking its bundle.json; the other files are not read.

    Raises:
        BundleError: there is no bundle, or its bundle.json is damaged or of another format.
    """
    manifest_path = path / MANIFEST
    try:
        with open_plain(manifest_path) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BundleError(
            f"{path}: not a bundle (no readable {MANIFEST}); `bench pick RUN --export DIR` makes one"
        ) from error
    try:
        with open_plain(path / SUMS) as file:
            sums = read_sums(file.read(MOST_BYTES + 1), path / SUMS)
    except OSError as error:
        check_format(json_object(data, manifest_path), path)  # a format before 3 has no such file
        raise BundleError(
            f"{path / SUMS}: cannot be read ({error.strerror or error}); export the bundle again"
        ) from error
    if hashlib.sha256(data).hexdigest() != sums.get(MANIFEST):
        raise BundleError(f"{manifest_path}: does not match its hash in {SUMS}; export the bundle again")
    content = json_object(data, manifest_path)
    check_format(content, path)
    try:
        return Files(path, _MANIFEST.validate_python(content), sums)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first.get("loc", ())))
        raise BundleError(f"{manifest_path}: {where}: {first.get('msg')}; export the bundle again") from error


def check_format(content: Mapping[str, Any], path: Path) -> None:
    """Refuse a bundle of another version.

    Raises:
        BundleError: names both versions.
    """
    if (found := content.get("format")) != FORMAT:
        raise BundleError(
            f"{path}: has format {found}, this version of bench reads format {FORMAT}; export the bundle "
            "again"
        )


def read_sums(data: bytes, path: Path) -> Mapping[str, str]:
    """Return the SHA-256 of each file from the text of SHA256SUMS.

    Raises:
        BundleError: a line is damaged.
    """
    text = data.decode("utf-8", "replace")
    lines = text.splitlines()
    matches = [_SUM_LINE.fullmatch(line) for line in lines]
    sums = {match[2]: match[1] for match in matches if match is not None}
    if not text.endswith("\n") or len(sums) != len(lines):
        raise BundleError(f"{path}: is damaged (not a list of hashes and names); export the bundle again")
    return sums


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS over every file in a folder."""
    paths = sorted(path for path in folder.iterdir() if path.name != SUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def write_manifest(manifest: BundleManifest, folder: Path) -> None:
    """Write bundle.json."""
    text = json.dumps(_MANIFEST.dump_python(manifest, mode="json"), indent=2, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def json_object(data: bytes, path: Path) -> Mapping[str, Any]:
    """Return the JSON object that some bytes encode.

    Raises:
        BundleError: they do not hold one.
    """
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: is damaged (not JSON: {error}); export the bundle again") from error
    if not isinstance(content, dict):
        raise BundleError(f"{path}: is damaged (not a JSON object); export the bundle again")
    return content


def open_plain(path: Path) -> Any:
    """Open a plain file; a link is refused, since it would lead out of the bundle."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


@contextmanager
def model_errors(files: Files, method: str) -> Iterator[None]:
    """Turn what the model of a bundle raises when ``method`` is called into an error of ours.

    Raises:
        MissingLibrary: it imports what is not installed.
        BundleError: an array does not fit the catalogue or another array.
        NotOffered: as the model raised it.
        AdapterError: anything else: it misses what it had when it was trained.
    """
    adapter = files.manifest.origin.adapter
    try:
        yield
    except NotOffered:
        raise  # nothing is wrong with the bundle: whoever asked says what the model has no answer to
    except ImportError as error:
        missing = files.manifest.origin.missing(error) or f"needs {error.name}, which is not installed"
        raise MissingLibrary(f"{files.path}: {adapter} {missing}") from error
    except (ValueError, IndexError, RuntimeError) as error:
        raise BundleError(f"{files.path}: {adapter} cannot {method}: {error}") from error
    except Exception as error:
        raise AdapterError(
            f"{adapter}: a model restored from state() cannot {method}: {type(error).__name__}: {error}; "
            f"state() must hold every array that {method} needs"
        ) from error
