"""Downloads from a local server that answers, hangs, breaks off and lies."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmark.datasets import LogSpec, open_log, sources
from benchmark.datasets.catalogue import KNOWN, Known
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
    tiny = Known(
        "tiny", "tiny", PATH, 0.1, "ml-100k", "u.data", md5(RATINGS), 800, 40, 40, (1.0, 5.0), "free"
    )
    monkeypatch.setitem(KNOWN, "tiny", tiny)
    said = []
    with serving(publisher) as url:

        def call(timeout_s=5.0):
            return sources.fetch("tiny", tmp_path, said.append, base_url=url, timeout_s=timeout_s)

        call.said, call.url = said, url
        yield call


def refused(fetch, **options):
    with pytest.raises(SourceError) as caught:
        fetch(**options)
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


def test_fetch_from_a_server_that_hangs_is_refused_in_time(fetch, publisher):
    publisher.hang = True
    assert "127.0.0.1 did not answer (timed out after 0.2 s)" in refused(fetch, timeout_s=0.2)


def test_fetch_without_a_server_is_refused(fetch, tmp_path):
    with pytest.raises(SourceError, match=r"did not answer \(no connection\)"):
        sources.fetch("tiny", tmp_path, base_url="http://127.0.0.1:9", timeout_s=1)


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
    monkeypatch.setattr("benchmark.datasets.download.UNPACKED_LIMIT", 100)
    assert "at most 0 MB are allowed" in refused(fetch)


def test_fetch_into_a_place_that_is_no_folder_is_refused(fetch, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SourceError, match="cannot keep tiny here"):
        sources.fetch("tiny", tmp_path / "file", base_url=fetch.url)


def test_open_log_downloads_a_known_data_set(fetch, tmp_path):
    log = open_log(LogSpec(name="tiny"), cache_dir=tmp_path / "cache", base_url=fetch.url)
    assert (len(log.frame), log.scale, log.licence, log.synthetic) == (800, (1.0, 5.0), "free", False)
    assert log.origin == str(tmp_path / "cache" / "tiny")


def test_open_log_takes_a_labelled_stand_in_where_one_is_allowed(fetch, publisher, tmp_path):
    publisher.files = {}
    said = []
    options = {"cache_dir": tmp_path, "base_url": fetch.url, "stand_in": True, "say": said.append}
    log = open_log(LogSpec(name="tiny"), **options)
    assert (log.name, log.synthetic) == ("tiny (synthetic stand-in)", True)
    assert (log.licence, log.origin) == ("generated", "generated")
    assert "404" in said[-1]
    assert "stand-in" in said[-1]


def test_open_log_without_leave_for_a_stand_in_raises(fetch, publisher, tmp_path):
    publisher.files = {}
    with pytest.raises(SourceError, match="stand_in: true"):
        open_log(LogSpec(name="tiny"), cache_dir=tmp_path, base_url=fetch.url)
