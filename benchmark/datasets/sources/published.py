"""A publisher's folder as a log: whose it is, whether it is as published, and when its terms were shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmark.datasets.log import Log, Say, hash_files, silent
from benchmark.datasets.sources.download import Receipt, md5_of, receipt_of
from benchmark.datasets.sources.known_dataset import KnownDataset
from benchmark.datasets.sources.layout import Layout
from benchmark.datasets.sources.published_counts import differing_counts
from benchmark.datasets.specs import LogSpec
from benchmark.datasets.tables.read import clock_of
from benchmark.errors import SourceError
from benchmark.records import Provenance

YOUR_OWN = "your own"
"""The licence of a log that no known publisher made."""


def published_log(known: KnownDataset, folder: Path, entry: LogSpec | None = None, say: Say = silent) -> Log:
    """Return a publisher's log; its origin says so if the file is not the published one.

    Args:
        known: whose log it is.
        folder: as unpacked.
        entry: what the suite says of it; its scale replaces the publisher's.
        say: is told what was made of the files, and if the counts are not the published ones.

    Raises:
        SourceError: the file is not the one that was fetched.
    """
    main = known.layout.find_main(folder) or folder / known.main
    receipt, found = receipt_of(folder), md5_of(main)
    if receipt and found != receipt.main_md5:
        raise SourceError(
            f"{main}: not the file that was fetched on {receipt.fetched}: md5 {found}, then "
            f"{receipt.main_md5}; delete {folder} and fetch it again: bench data fetch {known.name}"
        )
    log = folder_log(known.name, folder, known.layout, entry, say)
    if found != known.main_md5 and (differing := differing_counts(known, log.frame)):
        say(differing)
    own = replace(
        log.provenance,
        scale=(entry.scale if entry else None) or known.scale,
        licence=known.licence,
        origin=str(folder) + doubt(known, main.name, found, receipt),
    )
    if receipt:
        own = replace(own, acknowledged=f"shown when it was fetched, {receipt.fetched}")
    return replace(log, provenance=own)


def doubt(known: KnownDataset, main: str, found: str, receipt: Receipt | None) -> str:
    """Return why a file with this md5 may not be the published one, "" if it certainly is."""
    if known.main_md5:
        return "" if found == known.main_md5 else f" ({main} differs from the published file)"
    if receipt and receipt.checked:
        return ""
    return f" ({main}: no published checksum, md5 {found})"


def folder_log(
    name: str, folder: Path, layout: Layout, entry: LogSpec | None = None, say: Say = silent
) -> Log:
    """Return the log in a folder of a known layout, whoever made it; what the entry says of it wins.

    Raises:
        DataError: a file is not as the layout says.
    """
    tables = layout.read(folder, entry, say)
    return Log(
        provenance=Provenance(
            dataset=name,
            origin=str(folder),
            licence=YOUR_OWN,
            synthetic=False,
            sha256=hash_files(path for path in layout.files(folder) if path.is_file()),
            scale=entry.scale if entry else None,
        ),
        frame=tables.frame,
        items=tables.items,
        users=tables.users,
        item_roles=layout.roles("item", folder),
        user_roles=layout.roles("user", folder),
        clock=clock_of(tables.frame),
        defaults=layout.defaults(),
        graph=tables.graph,
    )
