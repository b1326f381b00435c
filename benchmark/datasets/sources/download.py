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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import urlsplit

import requests

from benchmark.datasets.sources.known import PUBLISHER, KnownDataset
from benchmark.errors import SourceError

Say: TypeAlias = Callable[[str], None]

TIMEOUT_S = 20.0
BLOCK = 1 << 16
MB = 1e6
UNPACKED_LIMIT = 4_000_000_000  # bytes; the largest MovieLens, 32M, unpacks to under 1 GB
RATIO_LIMIT = 50  # MovieLens packs 4 to 5 times
RATIO_FROM = 10_000_000  # bytes below which no ratio does harm
RECEIPT = "fetched.json"
PLAIN = {"Accept-Encoding": "identity"}  # so that sizes and ranges count the file's own bytes


class NotReachedError(SourceError):
    """The publisher does not answer, does not have the file, or breaks off."""


def fetch_known(
    known: KnownDataset, cache_dir: Path, say: Say, *, base_url: str = PUBLISHER, timeout_s: float = TIMEOUT_S
) -> Path:
    """Return the folder of a data set in the cache, downloaded there if need be.

    Raises:
        SourceError: no answer within ``timeout_s``, an HTTP error, cut off, wrong checksum, unsafe or
            damaged archive, no room on the disk.
    """
    folder = cache_dir / known.folder
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / f".{known.folder}.lock"):
            say(f"{known.name}: {known.licence}")
            if (folder / known.main).is_file():
                return folder
            archive = cache_dir / PurePosixPath(known.archive).name
            url = f"{base_url.rstrip('/')}/{known.archive}"
            checked = download(
                url, archive, say, label=known.name, md5=known.archive_md5, timeout_s=timeout_s
            )
            receipt = _receipt(known, url, archive, checked=checked or known.main_md5 is not None)
            if not receipt.checked:
                say(f"{known.name}: no published checksum; sha256 of the archive {receipt.archive_sha256}")
            unpack(archive, known, folder, receipt)
            archive.unlink()
    except OSError as error:
        raise SourceError(f"{cache_dir}: cannot keep {known.name} here: {error.strerror or error}") from error
    say(f"{known.name}: kept in {folder}")
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time fetch; the lock goes with its process."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Receipt:
    """What is written beside a data set that was fetched.

    Attributes:
        url: where it came from.
        archive_sha256: content hash of the archive.
        main_md5: md5 of the file with the interactions, as unpacked.
        checked: whether the content was compared with a published checksum.
        licence: the terms that were shown.
        fetched: the day, in UTC, on which they were shown and it was fetched.
    """

    url: str
    archive_sha256: str
    main_md5: str
    checked: bool
    licence: str
    fetched: str


def _receipt(known: KnownDataset, url: str, archive: Path, *, checked: bool) -> Receipt:
    """Return the receipt of an archive that is not unpacked yet."""
    return Receipt(url, hash_file(archive), "", checked, known.licence, datetime.now(UTC).date().isoformat())


def receipt_of(folder: Path) -> Receipt | None:
    """Return the receipt of a data set that was fetched; None for one that came another way.

    Raises:
        SourceError: the receipt is damaged.
    """
    path = folder / RECEIPT
    if not path.is_file():
        return None
    try:
        return Receipt(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise SourceError(f"{path}: damaged ({error}); delete {folder} and fetch it again") from error


def download(
    url: str, target: Path, say: Say, *, label: str, md5: str | None = None, timeout_s: float = TIMEOUT_S
) -> bool:
    """Write ``url`` to ``target``, going on where ``target.part`` stopped, and return whether it was checked.

    ``md5`` decides; where it is None, the publisher's own ``url.md5``, if there is one.

    Raises:
        SourceError: see :func:`fetch_known`. What was received stays in ``target.part``, unless its
            checksum is wrong.
    """
    part = target.with_name(target.name + ".part")
    try:
        _receive(url, part, say, label, timeout_s)
    except requests.RequestException as error:
        raise NotReachedError(f"{urlsplit(url).hostname} {_reason(error, timeout_s)}") from error
    found, expected = md5_of(part), md5 or _published_md5(url, timeout_s)
    if expected and found != expected:
        part.unlink()
        raise SourceError(
            f"{url}: wrong checksum: md5 {found}, published {expected}; what was received is deleted: "
            "try again, and if it happens again do not trust the connection"
        )
    part.replace(target)
    return expected is not None


def _receive(url: str, part: Path, say: Say, label: str, timeout_s: float) -> None:
    have = part.stat().st_size if part.is_file() else 0
    headers = PLAIN | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=timeout_s) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()  # longer than the published file: not a beginning of it
            return _receive(url, part, say, label, timeout_s)
        if not answer.ok:
            raise NotReachedError(f"{url}: the server answered {answer.status_code} {answer.reason}")
        resumed = answer.status_code == requests.codes.partial_content
        have = have if resumed else 0
        total = have + int(answer.headers.get("Content-Length", 0)) or None
        if resumed and have:
            say(f"{label}: going on at {have / MB:.1f} MB")
        with part.open("ab" if resumed else "wb") as file:
            for block in answer.iter_content(BLOCK):
                file.write(block)
                _tell(say, label, have, have + len(block), total)
                have += len(block)
    return None


def _tell(say: Say, label: str, before: int, now: int, total: int | None) -> None:
    """Say how far it is at every tenth of the whole, or every 10 MB if the whole is unknown."""
    step = total / 10 if total else 10 * MB
    if int(now / step) > int(before / step):
        say(f"{label}: {now / MB:.1f}" + (f" of {total / MB:.1f} MB" if total else " MB"))


def _published_md5(url: str, timeout_s: float) -> str | None:
    """Return the md5 in the publisher's sidecar file; None where there is none: the main file is pinned."""
    try:
        answer = requests.get(f"{url}.md5", headers=PLAIN, timeout=timeout_s)
    except requests.RequestException:
        return None
    found = re.search(r"\b[0-9a-fA-F]{32}\b", answer.text) if answer.ok else None
    return found.group().lower() if found else None


def _reason(error: requests.RequestException, timeout_s: float) -> str:
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"did not answer (timed out after {timeout_s:g} s)"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "IncompleteRead" in str(error):
        return "broke off before the end; what was received is kept, and the next try goes on from there"
    return "did not answer (no connection)"


def md5_of(path: Path) -> str:
    """Return the md5 of a file as publishers state it: a check against damage, not against malice."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def hash_file(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(archive: Path, known: KnownDataset, folder: Path, receipt: Receipt) -> None:
    """Unpack beside ``folder``, check the main file, and move the whole with its receipt into place.

    Raises:
        SourceError: damaged, unsafe or too large, or the main file is missing or not as published.
            The archive is deleted then, so that the next try starts afresh.
    """
    scratch = Path(tempfile.mkdtemp(prefix=f".{known.folder}.", dir=folder.parent))
    try:
        _extract(archive, scratch)
        unpacked = _checked(archive, known, scratch)
        kept = replace(receipt, main_md5=md5_of(unpacked / known.main))
        (unpacked / RECEIPT).write_text(json.dumps(asdict(kept), indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.chmod(0o755)  # mkdtemp's own folder, for an archive without one, is private
        unpacked.rename(folder)
    except SourceError:
        archive.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _checked(archive: Path, known: KnownDataset, scratch: Path) -> Path:
    """Return the folder of the main file, which must be the published one."""
    main = next(iter(sorted(scratch.rglob(known.main))), None)
    if main is None:
        raise SourceError(f"{archive.name}: {known.main} is not in it; the publisher has changed the archive")
    if known.main_md5 and (found := md5_of(main)) != known.main_md5:
        raise SourceError(
            f"{archive.name}: wrong checksum: {known.main} has md5 {found}, published is {known.main_md5}; "
            "the publisher has changed the file, or it is damaged: try again"
        )
    return main.parent


def _extract(archive: Path, scratch: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as file:
            _refuse_unsafe(archive, file.infolist())
            file.extractall(scratch)  # never more bytes of a member than it declares
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{archive.name}: not a whole zip archive ({error}); try again") from error
    except (NotImplementedError, RuntimeError) as error:  # a compression unknown to Python, a password
        raise SourceError(f"{archive.name}: cannot be unpacked ({error}); do not trust the source") from error


def _refuse_unsafe(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse a path that leaves the folder, a link, and more bytes than any data set has or packs so well."""
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
