import hashlib
import os
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cnnkit.data import store

import platformdirs
import pytest

CONTENT = b"a data set" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    """Serve CONTENT at every address; at /short, break off in the middle."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/portal":
                self.wfile.write(b"Please sign in to the network")
                return
            if self.path == "/gone":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:5000] if self.path == "/short" else CONTENT)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no read-only folders")


@pytest.fixture
def read_only_home(monkeypatch):
    """A data folder with one file, which not even a superuser who runs the tests may write."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "data"
        home.mkdir()
        (home / "here.bin").write_bytes(CONTENT)
        monkeypatch.setenv("CNNKIT_DATA", str(home))
        Path(name).chmod(0o755)
        home.chmod(0o555)
        superuser = hasattr(os, "geteuid") and os.geteuid() == 0
        if superuser:
            os.seteuid(65534)
        yield home
        if superuser:
            os.seteuid(0)
        home.chmod(0o755)


def test_the_environment_variable_decides_where_data_lives(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA", str(tmp_path))
    assert store.home() == tmp_path


def test_the_tilde_means_the_users_home(monkeypatch):
    monkeypatch.setenv("CNNKIT_DATA", "~/pictures")
    assert store.home() == Path.home() / "pictures"


def test_a_file_is_no_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA", str(tmp_path / "mnist.npz"))
    (tmp_path / "mnist.npz").touch()
    with pytest.raises(ValueError, match="a file; expected a folder"):
        store.home()


def test_in_a_checkout_data_lives_in_its_data_folder(monkeypatch):
    monkeypatch.delenv("CNNKIT_DATA", raising=False)
    assert store.home() == Path(__file__).resolve().parents[2] / "data"


def test_elsewhere_data_lives_in_the_users_cache(monkeypatch):
    monkeypatch.delenv("CNNKIT_DATA", raising=False)
    monkeypatch.setattr(store, "CHECKOUT", None)
    assert store.home() == Path(platformdirs.user_cache_dir("cnnkit"))


def test_a_file_that_is_there_is_used_and_nothing_is_asked(data_home):
    (data_home / "set.bin").write_bytes(b"from the classroom's drive")
    path = store.fetch("set.bin", "http://127.0.0.1:9/set.bin", SHA256)
    assert path.read_bytes() == b"from the classroom's drive"


def test_a_missing_file_is_downloaded_into_a_folder_that_is_made(data_home, server, monkeypatch):
    monkeypatch.setenv("CNNKIT_DATA", str(data_home / "new" / "folder"))
    path = store.fetch("set.bin", f"{server}/set.bin", SHA256)
    assert path == data_home / "new" / "folder" / "set.bin"
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["set.bin"]


@pytest.mark.parametrize(
    ("page", "sha256", "problem"),
    [
        ("short", SHA256, r"stopped after 5,000 of 10,000 bytes"),
        ("set.bin", "0" * 64, "the download is damaged"),
        ("gone", SHA256, "could not be reached.*Not Found"),
        ("portal", SHA256, "gave no proper answer"),
    ],
)
def test_a_bad_download_leaves_nothing_behind(data_home, server, page, sha256, problem):
    with pytest.raises(FileNotFoundError, match=problem):
        store.fetch("set.bin", f"{server}/{page}", sha256)
    assert list(data_home.iterdir()) == []


@posix
def test_a_read_only_folder_is_named_with_the_way_out(read_only_home, server):
    with pytest.raises(FileNotFoundError) as caught:
        store.fetch("set.bin", f"{server}/set.bin", SHA256)
    message = str(caught.value)
    assert f"{read_only_home / 'set.bin'} is missing" in message
    assert "the folder cannot be written (Permission denied)" in message
    assert f'curl -L -o "set.bin" {server}/set.bin' in message
    assert "CNNKIT_DATA" in message


@posix
def test_a_read_only_folder_that_holds_the_file_is_enough(read_only_home):
    path = store.fetch("here.bin", "http://127.0.0.1:9/here.bin", SHA256)
    assert path.read_bytes() == CONTENT
