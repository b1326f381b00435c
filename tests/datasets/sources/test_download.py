"""Downloads from a local server that answers, hangs, breaks off and lies."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmark.datasets.sources import download
from benchmark.datasets.sources.download import receipt_of
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.known import KNOWN, KnownDataset
from benchmark.datasets.sources.movielens import ML_100K
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.sources.synthetic import stand_in_shape
from benchmark.datasets.specs import LogSpec
from benchmark.errors import SourceError

RATINGS = "".join(f"{user}\t{item}\t3\t{user + item}\n" for user in range(40) for item in range(20)).encode()
PATH = "sets/tiny.zip"


def md5(content):
    return hashlib.md5(content).hexdigest()


def archive(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in files.items():
            file.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


WHOLE = archive(**{"tiny/u.data": RATINGS, "tiny/README": b"terms" * 40_000})


@dataclass
class Publisher:
    """What the server has and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=lambda: {PATH: WHOLE, f"{PATH}.md5": md5(WHOLE).encode()})
    hang: bool = False
    cut_at: int | None = None
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        publisher = self.server.publisher
        publisher.asked.append(f"{self.path} {self.headers.get('Range', '')}".strip())
        content = publisher.files.get(self.path.lstrip("/"))
        if publisher.hang:
            publisher.over.wait(10)
        elif content is None:
            self.send_error(404)
        else:
            self.answer(content, publisher.cut_at)

    def answer(self, content, cut_at):
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:cut_at])


@contextmanager
def serving(publisher):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.publisher = publisher
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        publisher.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def publisher():
    return Publisher()


@pytest.fixture
def fetch(publisher, tmp_path, monkeypatch):
    """A function that fetches the data set ``tiny`` from the local server into ``tmp_path``."""
    said = []
    with serving(publisher) as url:
        tiny = KnownDataset(
            name="tiny",
            layout=ML_100K,
            folder="tiny",
            url=f"{url}/{PATH}",
            download_mb=0.1,
            rows=800,
            users=40,
            items=40,
            scale=(1.0, 5.0),
            licence="free",
            side_information="nothing",
            main_md5=md5(RATINGS),
        )
        monkeypatch.setitem(KNOWN, "tiny", tiny)

        def call():
            return download.fetch(KNOWN["tiny"], tmp_path, said.append)

        call.said = said
        yield call


def refused(fetch):
    with pytest.raises(SourceError) as caught:
        fetch()
    return str(caught.value)


def test_fetch_unpacks_into_the_cache_and_leaves_nothing_else(fetch, tmp_path):
    folder = fetch()
    assert (folder / "u.data").read_bytes() == RATINGS
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tiny.lock", "tiny"]


def test_fetch_says_licence_progress_and_place(fetch):
    folder = fetch()
    assert fetch.said[0] == "tiny: free"
    assert any("of 0.2 MB" in line for line in fetch.said)
    assert fetch.said[-1] == f"tiny: kept in {folder}"


def test_fetch_again_asks_nobody(fetch, publisher):
    fetch()
    asked = len(publisher.asked)
    fetch()
    assert len(publisher.asked) == asked


def test_fetch_cut_off_is_refused_and_the_next_try_goes_on_from_there(fetch, publisher, tmp_path):
    publisher.cut_at = len(WHOLE) // 2
    assert "broke off before the end" in refused(fetch)
    kept = (tmp_path / "tiny.zip.part").stat().st_size
    assert 0 < kept <= len(WHOLE) // 2
    publisher.cut_at = None
    assert (fetch() / "u.data").read_bytes() == RATINGS
    assert f"/{PATH} bytes={kept}-" in publisher.asked


def test_fetch_with_a_leftover_longer_than_the_file_starts_over(fetch, tmp_path):
    (tmp_path / "tiny.zip.part").write_bytes(WHOLE + b"more")
    assert (fetch() / "u.data").read_bytes() == RATINGS


def test_fetch_with_a_leftover_of_another_file_is_refused_once(fetch, tmp_path):
    (tmp_path / "tiny.zip.part").write_bytes(b"x" * 100)
    assert "wrong checksum" in refused(fetch)
    assert (fetch() / "u.data").read_bytes() == RATINGS


def test_fetch_404_is_refused_with_the_cure(fetch, publisher):
    publisher.files = {}
    message = refused(fetch)
    assert "tiny is not on this machine" in message
    assert "answered 404" in message
    assert "Put the unpacked tiny folder under $BENCH_DATA" in message


def test_fetch_from_a_server_that_hangs_is_refused_in_time(fetch, publisher, monkeypatch):
    publisher.hang = True
    monkeypatch.setattr(download, "TIMEOUT_S", 0.2)
    assert "127.0.0.1 did not answer (timed out after 0.2 s)" in refused(fetch)


def test_fetch_without_a_server_is_refused(fetch, monkeypatch):
    monkeypatch.setitem(KNOWN, "tiny", replace(KNOWN["tiny"], url=f"http://127.0.0.1:9/{PATH}"))
    assert "did not answer (no connection)" in refused(fetch)


def test_fetch_wrong_published_checksum_is_refused_and_deleted(fetch, publisher, tmp_path):
    publisher.files[f"{PATH}.md5"] = b"MD5 (tiny.zip) = " + b"0" * 32
    assert f"wrong checksum: md5 {md5(WHOLE)}, published {'0' * 32}" in refused(fetch)
    assert not list(tmp_path.glob("tiny.zip*"))


def test_fetch_without_published_checksum_relies_on_the_main_file(fetch, publisher):
    del publisher.files[f"{PATH}.md5"]
    assert (fetch() / "u.data").read_bytes() == RATINGS


def serve(publisher, content):
    publisher.files = {PATH: content}


def test_fetch_other_content_under_the_right_name_is_refused(fetch, publisher, tmp_path):
    serve(publisher, archive(**{"tiny/u.data": b"1\t1\t1\t1\n"}))
    assert "wrong checksum: u.data has md5" in refused(fetch)
    assert not (tmp_path / "tiny").exists()


def test_fetch_archive_without_the_main_file_is_refused(fetch, publisher):
    serve(publisher, archive(**{"tiny/README": b"x"}))
    assert "u.data is not in it" in refused(fetch)


def test_fetch_archive_without_a_folder_is_unpacked_into_one(fetch, publisher):
    serve(publisher, archive(**{"u.data": RATINGS}))
    assert (fetch() / "u.data").read_bytes() == RATINGS


def test_fetch_damaged_archive_is_refused_and_deleted(fetch, publisher, tmp_path):
    serve(publisher, WHOLE[: len(WHOLE) // 2])
    assert "not a whole zip archive" in refused(fetch)
    assert not list(tmp_path.glob("*.zip*"))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "tiny/../../evil"])
def test_fetch_archive_with_a_path_that_leaves_the_folder_is_refused(fetch, publisher, tmp_path, name):
    serve(publisher, archive(**{"tiny/u.data": RATINGS, name: b"x"}))
    assert "unsafe path" in refused(fetch)
    assert not list(tmp_path.parent.glob("**/evil"))


def test_fetch_archive_larger_than_any_data_set_is_refused(fetch, monkeypatch):
    monkeypatch.setattr("benchmark.datasets.sources.download.UNPACKED_LIMIT", 100)
    assert "at most 0 MB are allowed" in refused(fetch)


def test_fetch_archive_that_packs_too_well_is_refused(fetch, publisher, tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("tiny/u.data", RATINGS)
        file.writestr("tiny/bomb", bytes(20_000_000))
    serve(publisher, stream.getvalue())
    assert "times its size; at most 50 times are allowed: nothing was unpacked" in refused(fetch)
    assert not (tmp_path / "tiny").exists()


def test_fetch_archive_with_a_link_is_refused(fetch, publisher, tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("tiny/u.data", RATINGS)
        link = zipfile.ZipInfo("tiny/link")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    serve(publisher, stream.getvalue())
    assert "unsafe path 'tiny/link'" in refused(fetch)


def test_fetch_archive_with_damaged_content_is_refused(fetch, publisher):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("tiny/u.data", RATINGS)
    content = bytearray(stream.getvalue())
    content[60:90] = b"\xff" * 30
    serve(publisher, bytes(content))
    assert "not a whole zip archive" in refused(fetch)


def test_fetch_archive_with_a_password_is_refused(fetch, publisher):
    content = bytearray(archive(**{"tiny/u.data": RATINGS}))
    content[6] |= 1
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    serve(publisher, bytes(content))
    assert "cannot be unpacked" in refused(fetch)


def test_fetch_writes_what_it_fetched_and_when_the_licence_was_shown(fetch):
    receipt = receipt_of(fetch())
    assert receipt.archive_sha256 == hashlib.sha256(WHOLE).hexdigest()
    assert (receipt.main_md5, receipt.licence, receipt.checked) == (md5(RATINGS), "free", True)
    assert receipt.url.endswith(PATH)


def test_fetch_wrong_known_checksum_is_refused_whatever_the_publisher_says(fetch, monkeypatch):
    monkeypatch.setitem(KNOWN, "tiny", replace(KNOWN["tiny"], archive_md5="0" * 32))
    assert f"wrong checksum: md5 {md5(WHOLE)}, published {'0' * 32}" in refused(fetch)


def test_fetch_without_any_checksum_says_so_and_keeps_the_hash(fetch, publisher, monkeypatch, tmp_path):
    monkeypatch.setitem(KNOWN, "tiny", replace(KNOWN["tiny"], main_md5=None))
    serve(publisher, WHOLE)
    folder = fetch()
    sha256 = hashlib.sha256(WHOLE).hexdigest()
    assert f"tiny: no published checksum; sha256 of the archive {sha256}" in fetch.said
    log = open_log(LogSpec(name="tiny"), DataFolders(cache=tmp_path))
    assert log.provenance.origin == f"{folder} (u.data: no published checksum, md5 {md5(RATINGS)})"


def test_open_log_tells_when_the_licence_of_a_fetched_log_was_shown(fetch, tmp_path):
    day = receipt_of(fetch()).fetched
    log = open_log(LogSpec(name="tiny"), DataFolders(cache=tmp_path))
    assert log.provenance.acknowledged == f"shown when it was fetched, {day}"


def test_open_log_refuses_a_cached_file_that_has_changed(fetch, tmp_path):
    folder = fetch()
    (folder / "u.data").write_bytes(RATINGS[:-20])
    with pytest.raises(SourceError, match=r"not the file that was fetched .* bench data fetch tiny"):
        open_log(LogSpec(name="tiny"), DataFolders(cache=tmp_path))


def test_open_log_damaged_receipt_is_refused(fetch, tmp_path):
    (fetch() / "fetched.json").write_text("{")
    with pytest.raises(SourceError, match=r"fetched.json: damaged .* fetch it again"):
        open_log(LogSpec(name="tiny"), DataFolders(cache=tmp_path))


@pytest.mark.parametrize("known", KNOWN.values(), ids=list(KNOWN))
def test_stand_in_has_the_shape_of_the_real_log_up_to_a_million_rows(known):
    shape = stand_in_shape(known)
    half = known.items / 2  # of all pairs, which is the most that is generated; the least is 5 rows a user
    per_user = min(max(known.rows / known.users, 5), half)
    whole_user = max(1e-3, 1 / shape.users)
    assert shape.interactions / shape.users == pytest.approx(per_user, rel=whole_user)
    if known.rows / known.users <= half:
        assert shape.interactions == pytest.approx(min(known.rows, 1_000_000), abs=1)


def test_fetch_into_a_place_that_is_no_folder_is_refused(fetch, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SourceError, match="cannot keep tiny here"):
        download.fetch(KNOWN["tiny"], tmp_path / "file")


def test_open_log_downloads_a_known_data_set(fetch, tmp_path):
    log = open_log(LogSpec(name="tiny"), DataFolders(cache=tmp_path / "cache"))
    assert (len(log.frame), log.scale, log.provenance.licence) == (800, (1.0, 5.0), "free")
    assert (log.provenance.origin, log.provenance.synthetic) == (str(tmp_path / "cache" / "tiny"), False)


def test_open_log_takes_a_labelled_stand_in_where_one_is_allowed(fetch, publisher, tmp_path):
    publisher.files = {}
    said = []
    log = open_log(LogSpec(name="tiny"), DataFolders(cache=tmp_path), stand_in=True, say=said.append)
    found = log.provenance
    assert (found.dataset, found.synthetic) == ("tiny (synthetic stand-in)", True)
    assert (found.licence, found.origin, found.stand_in_for) == ("generated", "generated", "tiny")
    assert "404" in said[-1]
    assert "stand-in" in said[-1]


def test_open_log_without_leave_for_a_stand_in_raises(fetch, publisher, tmp_path):
    publisher.files = {}
    with pytest.raises(SourceError, match="stand_in: true"):
        open_log(LogSpec(name="tiny"), DataFolders(cache=tmp_path))
