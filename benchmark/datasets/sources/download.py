"""A publisher's archive over HTTP: resumed where it was cut off, checked, unpacked safely, put in place."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests

from benchmark.datasets.log import Say, silent
from benchmark.datasets.sources.folders import default_cache
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.errors import SourceError
from benchmark.files import file_sha256
from benchmark.records import from_json, to_json

TIMEOUT_S = 20.0
BLOCK = 1 << 16
MB = 1e6
UNPACKED_LIMIT = 4_000_000_000  # bytes; the largest MovieLens, 32M, unpacks to under 1 GB
RATIO_LIMIT = 50  # MovieLens packs 4 to 5 times
RATIO_FROM = 10_000_000  # bytes below which no ratio does harm
RECEIPT = "fetched.json"
PLAIN = {"Accept-Encoding": "identity"}  # so that sizes and ranges count the file's own bytes


class NotReachedError(SourceError):
    """The publisher does not answer, does not have the file, or the connection breaks."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What is written into the folder of a data set that was fetched.

    Attributes:
        url: where it came from; several addresses with blanks between them.
        archive_sha256: content hash of the archive or file; several likewise.
        main_md5: md5 of the file with the interactions, as unpacked.
        checked: whether the content was compared with a published checksum.
        licence: the terms that were shown.
        fetched: the day, in UTC, on which they were shown and the data set was fetched.
    """

    url: str
    archive_sha256: str
    main_md5: str
    checked: bool
    licence: str
    fetched: str


def fetch(known: KnownDataset, cache: Path | None = None, say: Say = silent) -> Path:
    """Return the folder of a data set in the cache, downloaded there if it is not there yet.

    Args:
        known: which data set.
        cache: where downloads are kept; the user's own cache by default.
        say: takes one line of progress.

    Raises:
        SourceError: nobody may fetch it for the user; no answer within ``TIMEOUT_S``, an HTTP error, a broken
            connection, a wrong checksum, an unsafe or damaged archive, no room on the disk; the message says
            what to do.
    """
    cache = cache or default_cache()
    folder = cache / known.folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / f".{known.folder}.lock"):
            say(f"{known.name}: {known.licence}")
            if known.layout.find_main(folder):
                return folder
            refuse_by_hand(known)
            targets = {url: target_of(url, known, cache) for url in known.urls}
            stated = dict.fromkeys(known.urls[:1], known.archive_md5)
            checks = [
                download(url, target, say, label=known.name, md5=stated.get(url))
                for url, target in targets.items()
            ]
            receipt = Receipt(
                url=" ".join(known.urls),
                archive_sha256=" ".join(file_sha256(target) for target in targets.values()),
                main_md5="",  # known when it is unpacked
                checked=all(checks) or known.main_md5 is not None,
                licence=known.licence,
                fetched=datetime.now(UTC).date().isoformat(),
            )
            if not receipt.checked:
                what = "archive" if is_zip(*targets.values()) else "file"
                say(f"{known.name}: no published checksum; sha256 of the {what} {receipt.archive_sha256}")
            unpack(list(targets.values()), known, folder, receipt)
    except NotReachedError as error:
        unpacked = "unpacked " if is_zip(*map(Path, known.urls)) else ""
        raise SourceError(
            f"{known.name} is not on this machine and {error}.\n"
            f"  Put the {unpacked}{known.folder} folder under $BENCH_DATA, allow stand_in: true in the "
            "suite, or run: bench run quickstart"
        ) from error
    except OSError as error:
        raise SourceError(f"{cache}: cannot keep {known.name} here: {error.strerror or error}") from error
    say(f"{known.name}: kept in {folder}")
    return folder


def refuse_by_hand(known: KnownDataset) -> None:
    """Check that a data set may be fetched.

    Raises:
        SourceError: the user must obtain it; the message says where, and which file goes where.
    """
    if not known.urls:
        raise SourceError(
            f"{known.name} is not on this machine, and nobody may fetch it for you: {known.licence}.\n"
            f"  Make a folder {known.folder} under $BENCH_DATA and {known.by_hand}; or allow stand_in: true "
            "in the suite"
        )


def target_of(url: str, known: KnownDataset, cache: Path) -> Path:
    """Return where an address is downloaded to: archives by their name, files by that of the data set too."""
    name = PurePosixPath(urlsplit(url).path).name
    return cache / (name if is_zip(Path(name)) else f"{known.folder}--{name}")


def is_zip(*paths: Path) -> bool:
    """Return whether all these are archives, to be unpacked, and not files, to be kept as they are."""
    return all(path.suffix == ".zip" for path in paths)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time fetch; the lock goes with its process."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def receipt_of(folder: Path) -> Receipt | None:
    """Return the receipt of a data set that was fetched; None for one that came another way.

    Raises:
        SourceError: the receipt is damaged.
    """
    path = folder / RECEIPT
    if not path.is_file():
        return None
    try:
        return from_json(Receipt, json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise SourceError(f"{path}: damaged ({error}); delete {folder} and fetch it again") from error


def download(url: str, target: Path, say: Say, *, label: str, md5: str | None = None) -> bool:
    """Write ``url`` to ``target``, resuming where ``target.part`` stopped; return whether it was checked.

    Checked against ``md5``; if that is None, against the publisher's own ``url.md5``, if there is one.

    Raises:
        SourceError: see :func:`fetch`. What was received stays in ``target.part``, unless its checksum is
            wrong.
    """
    part = target.with_name(target.name + ".part")
    try:
        receive(url, part, say, label)
    except requests.RequestException as error:
        raise NotReachedError(f"{urlsplit(url).hostname} {reason(error)}") from error
    found, expected = md5_of(part), md5 or published_md5(url)
    if expected and found != expected:
        part.unlink()
        raise SourceError(
            f"{url}: wrong checksum: md5 {found}, published {expected}; what was received is deleted: "
            "try again, and if it happens again do not trust the connection"
        )
    part.replace(target)
    return expected is not None


def receive(url: str, part: Path, say: Say, label: str) -> None:
    """Append to ``part`` what it lacks of ``url``; say how far it is at every tenth, or every 10 MB.

    Raises:
        NotReachedError: the server has no such file.
        requests.RequestException: it does not answer, or the connection breaks.
    """
    have = part.stat().st_size if part.is_file() else 0
    headers = PLAIN | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()  # longer than the published file: not the start of it
            return receive(url, part, say, label)
        if not answer.ok:
            raise NotReachedError(f"{url}: the server answered {answer.status_code} {answer.reason}")
        resumed = answer.status_code == requests.codes.partial_content
        have = have if resumed else 0
        total = have + int(answer.headers.get("Content-Length", 0)) or None
        step, of_total = (total / 10, f" of {total / MB:.1f}") if total else (10 * MB, "")
        if resumed and have:
            say(f"{label}: resuming at {have / MB:.1f} MB")
        with part.open("ab" if resumed else "wb") as file:
            for block in answer.iter_content(BLOCK):
                file.write(block)
                before, have = have, have + len(block)
                if int(have / step) > int(before / step):
                    say(f"{label}: {have / MB:.1f}{of_total} MB")
    return None


def published_md5(url: str) -> str | None:
    """Return the md5 in the publisher's sidecar file; None if there is none: the main file is pinned."""
    try:
        answer = requests.get(f"{url}.md5", headers=PLAIN, timeout=TIMEOUT_S)
    except requests.RequestException:
        return None
    found = re.search(r"\b[0-9a-fA-F]{32}\b", answer.text) if answer.ok else None
    return found.group().lower() if found else None


def reason(error: requests.RequestException) -> str:
    """Return in words why a server could not be read."""
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"did not answer (timed out after {TIMEOUT_S:g} s)"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "IncompleteRead" in str(error):
        return "broke off before the end; what was received is kept, and the next try resumes there"
    return "did not answer (no connection)"


def md5_of(path: Path) -> str:
    """Return the md5 of a file as publishers state it: a check against damage, not against malice."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def unpack(archives: Sequence[Path], known: KnownDataset, folder: Path, receipt: Receipt) -> None:
    """Unpack beside ``folder``, check the main file, and move the whole with its receipt into place.

    Files that are no archives are moved as they are. Nothing is left of what was downloaded.

    Raises:
        SourceError: damaged, unsafe or too large, or the main file is missing or not as published; the next
            try starts afresh then.
    """
    scratch = Path(tempfile.mkdtemp(prefix=f".{known.folder}.", dir=folder.parent))
    try:
        for archive in archives:
            if is_zip(archive):
                extract(archive, scratch)
                archive.unlink()
            else:
                archive.rename(scratch / archive.name.removeprefix(f"{known.folder}--"))
        unpacked = unpacked_folder(archives[0], known, scratch)
        kept = replace(receipt, main_md5=md5_of(unpacked / known.main))
        (unpacked / RECEIPT).write_text(json.dumps(to_json(kept), indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.chmod(0o755)  # mkdtemp's own folder, for an archive without one, is private
        unpacked.rename(folder)
    except SourceError:
        for archive in archives:
            archive.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def unpacked_folder(archive: Path, known: KnownDataset, scratch: Path) -> Path:
    """Return the folder that contains the main file, which must be the published one.

    Raises:
        SourceError: it is missing, or another one.
    """
    main = next(iter(sorted(scratch.rglob(known.main))), None)
    if main is None:
        raise SourceError(f"{archive.name}: {known.main} is not in it; the publisher has changed the archive")
    if known.main_md5 and (found := md5_of(main)) != known.main_md5:
        raise SourceError(
            f"{archive.name}: wrong checksum: {known.main} has md5 {found}, published is {known.main_md5}; "
            "the publisher has changed the file, or it is damaged: try again"
        )
    return main.parents[len(PurePosixPath(known.main).parts) - 1]


def extract(archive: Path, folder: Path) -> None:
    """Unpack an archive that is safe.

    Raises:
        SourceError: it is damaged, unsafe or too large; nothing is unpacked then.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            refuse_unsafe(archive, file.infolist())
            file.extractall(folder)  # never more bytes of a member than it declares
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{archive.name}: not a whole zip archive ({error}); try again") from error
    except (NotImplementedError, RuntimeError) as error:  # a compression unknown to Python, a password
        raise SourceError(f"{archive.name}: cannot be unpacked ({error}); do not trust the source") from error


def refuse_unsafe(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """Check what an archive would unpack to.

    Raises:
        SourceError: a path leaves the folder, a member is a link, there are more bytes than any data set
            has, or they are packed as only a zip bomb is.
    """
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        link = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or link:
            raise SourceError(
                f"{archive.name}: unsafe path {member.filename!r}; nothing was unpacked: "
                "do not trust the source"
            )
    size, packed = sum(member.file_size for member in members), archive.stat().st_size
    if size > UNPACKED_LIMIT:
        raise SourceError(
            f"{archive.name}: unpacks to {size / MB:.0f} MB; at most {UNPACKED_LIMIT / MB:.0f} MB are "
            "allowed: nothing was unpacked"
        )
    if size > RATIO_FROM and size > RATIO_LIMIT * packed:
        raise SourceError(
            f"{archive.name}: unpacks to {size / packed:.0f} times its size; at most {RATIO_LIMIT} times are "
            "allowed: nothing was unpacked, do not trust the source"
        )
