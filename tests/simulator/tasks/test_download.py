import gzip
import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from simulator.tasks import download as command
from simulator.tasks.download import DownloadError, download
from simulator.tasks.sources import Source

CONTENT = {"a-idx": b"alpha" * 50_000, "b-idx": b"beta"}
SET = Source("toy", "http://127.0.0.1:9/", {name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()})


class Mirror:
    """A local server of `files`; those in `cut` break off after half of what they announce."""

    def __init__(self) -> None:
        self.files = {f"/set/{name}.gz": gzip.compress(data) for name, data in CONTENT.items()}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                if self.path not in mirror.files:
                    self.send_error(404)
                    return
                body = mirror.files[self.path]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if self.path in mirror.cut else body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/set/"


@pytest.fixture
def mirror(monkeypatch) -> Iterator[Mirror]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    mirror = Mirror()
    thread = threading.Thread(target=mirror.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mirror
    mirror.server.shutdown()
    thread.join()
    mirror.server.server_close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_good_files_arrive_and_are_not_fetched_twice(tmp_path, mirror):
    files = download(SET, tmp_path / "new", mirror.url)
    assert [gzip.decompress(file.read_bytes()) for file in files] == list(CONTENT.values())
    assert names(tmp_path / "new") == ["a-idx.gz", "b-idx.gz"]
    assert download(SET, tmp_path / "new", mirror.url) == files
    assert len(mirror.asked) == 2


def test_any_compression_of_the_same_data_passes(tmp_path, mirror):
    mirror.files["/set/a-idx.gz"] = gzip.compress(CONTENT["a-idx"], 1)
    mirror.files["/set/b-idx.gz"] = CONTENT["b-idx"]
    assert len(download(SET, tmp_path, mirror.url)) == 2


def test_other_content_is_refused_and_leaves_nothing(tmp_path, mirror):
    mirror.files["/set/b-idx.gz"] = gzip.compress(b"something else")
    with pytest.raises(DownloadError, match=f"b-idx.gz: expected content with SHA-256 {SET.sha256['b-idx']}, got "):
        download(SET, tmp_path, mirror.url)
    assert names(tmp_path) == ["a-idx.gz"]  # the whole file that came before stays


def test_a_broken_connection_leaves_no_half_file(tmp_path, mirror):
    mirror.cut.add("/set/a-idx.gz")
    with pytest.raises(DownloadError, match=r"a-idx.gz: expected \d+ bytes, got \d+"):
        download(SET, tmp_path, mirror.url)
    assert names(tmp_path) == []
    mirror.cut.clear()
    assert len(download(SET, tmp_path, mirror.url)) == 2


def test_a_damaged_earlier_file_is_replaced_and_survives_a_failed_attempt(tmp_path, mirror):
    (tmp_path / "a-idx.gz").write_bytes(b"\x1f\x8bold")
    mirror.cut.add("/set/a-idx.gz")
    with pytest.raises(DownloadError):
        download(SET, tmp_path, mirror.url)
    assert (tmp_path / "a-idx.gz").read_bytes() == b"\x1f\x8bold"
    mirror.cut.clear()
    assert gzip.decompress(download(SET, tmp_path, mirror.url)[0].read_bytes()) == CONTENT["a-idx"]


@pytest.mark.parametrize("base_url, message", [("nowhere", "unknown url type"), ("http://127.0.0.1:9/", "refused")])
def test_a_bad_address_is_one_clear_error(tmp_path, mirror, base_url, message):
    with pytest.raises(DownloadError, match=message):
        download(SET, tmp_path, base_url)


def test_the_command_reports_and_exits(tmp_path, mirror, monkeypatch, capsys):
    monkeypatch.setitem(command.SOURCES, "mnist", SET)
    assert command.main(["mnist", "--to", str(tmp_path), "--from", mirror.url]) == 0
    assert f"2 files of toy are in {tmp_path}" in capsys.readouterr().out
    (tmp_path / "a-idx.gz").unlink()
    mirror.files.clear()
    assert command.main(["mnist", "--to", str(tmp_path), "--from", mirror.url]) == 1
    assert "error: " in (error := capsys.readouterr().err) and "404" in error


def test_an_unknown_name_is_refused_by_the_real_command():
    done = subprocess.run([sys.executable, "-m", "simulator.tasks.download", "cifar"], capture_output=True, text=True)
    assert done.returncode == 2 and "fashion_mnist" in done.stderr
