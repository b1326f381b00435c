"""What is known of a publisher's data set: where it is, its shape, its terms and its checksums."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.datasets.sources.layout import Layout


@dataclass(frozen=True, kw_only=True)
class KnownDataset:
    """One data set of a publisher.

    Attributes:
        name: how a suite refers to it.
        layout: which files its folder contains, and who reads them.
        folder: the publisher's folder, as unpacked.
        url: address of the archive, or of the file itself; None if nobody may fetch it for the user.
        more_urls: addresses of further files that belong to it.
        by_hand: if there is no address: where to get it, and which file goes where in its folder.
        download_mb: size of what is fetched, rounded; None if the publisher does not state it.
        rows: N as published.
        users: U as published, only users with a row.
        items: I as published, only items with a row.
        scale: lowest and highest rating; None if values are not ratings, or there are none.
        licence: terms of use in a few words.
        side_information: what is known beside the log, in a few words.
        main_md5: md5 of the file with the interactions as published, the reason why a copy can be trusted;
            None if unknown.
        archive_md5: md5 of the archive as its publisher states it; None if unknown.
        family: what lists show in place of the data sets that differ in one word of their name, such as the
            category; "" for one that is listed by itself.
    """

    name: str
    layout: Layout
    folder: str
    url: str | None
    more_urls: tuple[str, ...] = ()
    by_hand: str = ""
    download_mb: float | None
    rows: int
    users: int
    items: int
    scale: tuple[float, float] | None
    licence: str
    side_information: str
    main_md5: str | None = None
    archive_md5: str | None = None
    family: str = ""

    @property
    def main(self) -> str:
        """The file with the interactions, as it is published."""
        return self.layout.main

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address that is fetched, in order; none if it must be obtained by hand."""
        return (self.url, *self.more_urls) if self.url else ()
