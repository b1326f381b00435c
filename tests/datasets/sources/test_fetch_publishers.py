"""What other publishers serve, from a local server: plain files, several of them, folders inside archives."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmark.datasets.sources.download import fetch, receipt_of
from benchmark.datasets.sources.folders import DataFolders
from benchmark.datasets.sources.known import KNOWN
from benchmark.datasets.sources.open_log import open_log
from benchmark.datasets.specs import LogSpec
from benchmark.errors import SourceError

LINES = b"0\t2010-10-19T23:55:27Z\t30.2\t-97.7\t22847\n1\t2010-10-18T22:17:43Z\t30.2\t-97.7\t5\n"
CHECK_INS = gzip.compress(LINES)
MATRIX = b"user_id,video_id,timestamp,watch_ratio\n0,3649,1593878903.438,1.2\n1,9598,1593879221.297,3.0\n"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.cut_at.get(self.path)])


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.files, made.cut_at = {}, {}
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def serve(server, monkeypatch):
    """A function that serves the files of a known data set and sends its addresses there."""

    def call(name, *contents):
        known = KNOWN[name]
        paths = [f"/{name}/{url.rsplit('/', 1)[1]}" for url in known.urls]
        server.files.update(zip(paths, contents, strict=True))
        first, *more = (f"http://127.0.0.1:{server.server_port}{path}" for path in paths)
        monkeypatch.setitem(KNOWN, name, replace(known, url=first, more_urls=tuple(more)))
        return paths

    return call


def test_fetch_keeps_a_single_packed_file_as_it_is(serve, tmp_path):
    serve("gowalla", CHECK_INS)
    said = []
    folder = fetch(KNOWN["gowalla"], tmp_path, said.append)
    assert (folder / "loc-gowalla_totalCheckins.txt.gz").read_bytes() == CHECK_INS
    assert sorted(path.name for path in tmp_path.iterdir()) == [".loc-gowalla.lock", "loc-gowalla"]
    sha256 = hashlib.sha256(CHECK_INS).hexdigest()
    assert f"gowalla: no published checksum; sha256 of the file {sha256}" in said
    log = open_log(LogSpec(name="gowalla"), DataFolders(cache=tmp_path))
    assert log.frame["item"].tolist() == [22847, 5]
    assert "no published checksum, md5" in log.provenance.origin
    assert log.provenance.acknowledged.startswith("shown when it was fetched")


def test_fetch_of_several_files_puts_all_into_the_folder_and_the_receipt(serve, tmp_path):
    train, test = b"0 1 2 3\n1 2 3 4\n", b"0 4\n1 1\n"
    serve("lightgcn-gowalla", train, test)
    serve("lightgcn-yelp2018", test, train)  # the same file names: neither may take the other's
    one, two = (fetch(KNOWN[f"lightgcn-{name}"], tmp_path) for name in ("gowalla", "yelp2018"))
    assert [(folder / "train.txt").read_bytes() for folder in (one, two)] == [train, test]
    receipt = receipt_of(one)
    assert receipt.url.split() == list(KNOWN["lightgcn-gowalla"].urls)
    assert receipt.archive_sha256.split() == [hashlib.sha256(text).hexdigest() for text in (train, test)]
    log = open_log(LogSpec(name="lightgcn-gowalla"), DataFolders(cache=tmp_path))
    assert log.frame["part"].tolist() == [0] * 6 + [2] * 2


def test_fetch_of_several_files_that_breaks_off_in_the_second_goes_on_there(serve, server, tmp_path):
    train, test = b"0 1 2 3\n1 2 3 4\n", b"0 4\n1 1\n"
    first, second = serve("lightgcn-gowalla", train, test)
    server.cut_at[second] = 3
    with pytest.raises(SourceError, match="broke off before the end"):
        fetch(KNOWN["lightgcn-gowalla"], tmp_path)
    assert not (tmp_path / "lightgcn-gowalla").exists()
    server.cut_at.clear()
    server.files[first] = train
    folder = fetch(KNOWN["lightgcn-gowalla"], tmp_path)
    assert (folder / "test.txt").read_bytes() == test


def test_fetch_of_several_files_of_which_one_is_missing_is_refused_with_what_to_do(serve, server, tmp_path):
    _, second = serve("lightgcn-gowalla", b"0 1\n", b"0 2\n")
    del server.files[second]
    with pytest.raises(
        SourceError, match=r"test.txt: the server answered 404[\s\S]*Put the lightgcn-gowalla"
    ):
        fetch(KNOWN["lightgcn-gowalla"], tmp_path)


def test_fetch_finds_the_main_file_in_a_folder_of_the_archive(serve, tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("KuaiRec 2.0/data/big_matrix.csv", MATRIX)
        file.writestr("KuaiRec 2.0/data/small_matrix.csv", MATRIX)
        file.writestr("KuaiRec 2.0/LICENSE", "CC BY-SA 4.0")
    serve("kuairec", stream.getvalue())
    folder = fetch(KNOWN["kuairec"], tmp_path)
    assert (folder / "data" / "big_matrix.csv").read_bytes() == MATRIX
    assert fetch(KNOWN["kuairec-small"], tmp_path) == folder  # the same archive has both: nobody is asked
    log = open_log(LogSpec(name="kuairec-small"), DataFolders(cache=tmp_path))
    assert log.frame["value"].tolist() == [1.2, 3.0]


def test_fetched_file_that_has_changed_since_is_refused(serve, tmp_path):
    serve("gowalla", CHECK_INS)
    folder = fetch(KNOWN["gowalla"], tmp_path)
    (folder / "loc-gowalla_totalCheckins.txt.gz").write_bytes(CHECK_INS[:-4])
    with pytest.raises(SourceError, match="not the file that was fetched"):
        open_log(LogSpec(name="gowalla"), DataFolders(cache=tmp_path))


def test_data_set_that_nobody_may_fetch_asks_nobody(tmp_path):
    with pytest.raises(SourceError, match="nobody may fetch it for you"):
        fetch(KNOWN["lfm-2b"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".LFM-2b.lock"]
