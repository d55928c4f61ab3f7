"""Where data lives, and how files and folders get there."""

import errno
import hashlib
import inspect
import os
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

from cnnkit.data import store
from cnnkit.data.store import build_once

import platformdirs
import pytest

CONTENT = b"a data set" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    """Serve CONTENT at every address but one; at /short, break off in the middle."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
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


def test_the_environment_variable_decides_where_data_lives(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNKIT_DATA", str(tmp_path))
    assert store.home() == tmp_path
    monkeypatch.setenv("CNNKIT_DATA", "~/pictures")
    assert store.home() == Path.home() / "pictures"


def test_else_data_lives_in_the_checkout_or_in_the_users_cache(monkeypatch):
    monkeypatch.delenv("CNNKIT_DATA", raising=False)
    assert store.home() == Path(__file__).resolve().parents[2] / "data"
    monkeypatch.setattr(store, "CHECKOUT", None)
    assert store.home() == Path(platformdirs.user_cache_dir("cnnkit"))


def test_a_file_that_is_there_is_used_and_nothing_is_asked(data_home):
    (data_home / "set.bin").write_bytes(CONTENT)
    path = store.fetch("set.bin", "http://127.0.0.1:9/set.bin", SHA256)
    assert path.read_bytes() == CONTENT
    assert store.fetch("set.bin", "", hashlib.md5(CONTENT).hexdigest()) == path
    with pytest.raises(ValueError, match=r"damaged, or another file: its hash is not 00.*Delete"):
        store.fetch("set.bin", "", "0" * 64)


def test_what_a_read_only_folder_lacks_goes_to_the_users_cache(data_home, monkeypatch):
    (data_home / "here.bin").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert store.place("here.bin") == data_home / "here.bin"
    assert store.place("new.bin") == Path(platformdirs.user_cache_dir("cnnkit")) / "new.bin"


def test_a_missing_file_is_downloaded_into_a_folder_that_is_made(data_home, server, monkeypatch):
    monkeypatch.setenv("CNNKIT_DATA", str(data_home / "new" / "folder"))
    path = store.fetch("set.bin", f"{server}/set.bin", SHA256)
    assert path == data_home / "new" / "folder" / "set.bin"
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["set.bin"]


@pytest.mark.parametrize(
    ("page", "sha256", "problem"),
    [("short", SHA256, ""), ("set.bin", "0" * 64, "hash"), ("gone", SHA256, "404")],
)
def test_a_bad_download_leaves_nothing_and_says_how_to_get_the_file(
    data_home, server, page, sha256, problem
):
    with pytest.raises(FileNotFoundError, match=f"could not be downloaded: .*{problem}") as caught:
        store.fetch("set.bin", f"{server}/{page}", sha256, "The host is slow.")
    assert f"{data_home / 'set.bin'} is missing" in str(caught.value)
    assert f'curl -L -o "set.bin" {server}/{page}' in str(caught.value)
    assert "CNNKIT_DATA. The host is slow." in str(caught.value)
    assert list(data_home.iterdir()) == []


@pytest.fixture
def kaggle(data_home, monkeypatch):
    """Kaggle's client, which takes a good token and writes an archive without a network."""
    monkeypatch.delenv(store.TOKEN, raising=False)
    monkeypatch.setenv("KAGGLE_USERNAME", "student")  # else the import may end the process
    monkeypatch.setenv("KAGGLE_KEY", "k")
    api = pytest.importorskip("kaggle.api.kaggle_api_extended").KaggleApi
    asked = inspect.signature(api.competition_download_files)

    def authenticate(self):
        if os.environ.get("KAGGLE_API_TOKEN") != "good":
            raise SystemExit(1)

    def download(self, *arguments, **options):
        given = asked.bind(self, *arguments, **options).arguments
        print("advice for another command line")
        with zipfile.ZipFile(Path(given["path"], "dogs-vs-cats.zip"), "w") as archive:
            archive.writestr("train.zip", "photos")

    monkeypatch.setattr(api, "authenticate", authenticate)
    monkeypatch.setattr(api, "competition_download_files", download)


def test_kaggles_archive_is_downloaded_with_a_token(kaggle, data_home, monkeypatch, capsys):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "good")
    assert store.from_kaggle("dogs-vs-cats", "") == data_home / "dogs-vs-cats.zip"
    assert zipfile.is_zipfile(data_home / "dogs-vs-cats.zip")
    assert [path.name for path in data_home.iterdir()] == ["dogs-vs-cats.zip"]
    assert capsys.readouterr().out == ""


def test_in_colab_the_token_may_be_a_secret_of_the_notebook(kaggle, data_home, monkeypatch):
    def get(name):
        if name != "KAGGLE_API_TOKEN":
            raise KeyError("no such secret")
        return "good"

    monkeypatch.setenv("KAGGLE_API_TOKEN", "")  # to be restored
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    colab = SimpleNamespace(userdata=SimpleNamespace(get=get))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    assert store.from_kaggle("dogs-vs-cats", "").is_file()


def test_whatever_kaggle_lacks_one_message_has_the_way(kaggle, data_home):
    with pytest.raises(FileNotFoundError) as caught:
        store.from_kaggle("dogs-vs-cats", "Or from elsewhere.")
    for part in (
        f"{data_home / 'dogs-vs-cats.zip'} is missing, and it could not be downloaded: SystemExit",
        '"Download All" on https://www.kaggle.com/c/dogs-vs-cats/data',
        "consent",
        f"Put it into {data_home}",
        "~/.kaggle/access_token",
        "secret named KAGGLE_API_TOKEN",
        "Or from elsewhere.",
    ):
        assert part in str(caught.value)


def make(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "one.txt").write_text("one")


def not_again(folder: Path) -> None:
    raise AssertionError("it was made again")


def test_a_folder_is_built_once(tmp_path):
    (tmp_path / "x").mkdir()  # an empty one is no obstacle
    folder = build_once(tmp_path / "x", "things", make)
    assert build_once(folder, "things", not_again) == folder
    assert (folder / "a" / "one.txt").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "full"), ValueError])
def test_an_interruption_leaves_nothing_and_the_next_call_completes(error, tmp_path):
    def stop(folder: Path) -> None:
        (folder / "two.txt").write_text("tw")
        raise error

    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        build_once(tmp_path / "x", "things", stop)
    assert list(tmp_path.iterdir()) == []
    build_once(tmp_path / "x", "things", make)


def test_of_two_processes_the_first_to_end_is_kept(tmp_path):
    folder = tmp_path / "x"
    part = folder.with_name(f".{folder.name}.other.part")

    def other(_: Path) -> None:  # the other process ends while this one builds
        part.mkdir()
        make(part)
        (part / store.CONTENTS).write_text("things")
        part.rename(folder)

    build_once(folder, "things", other)
    assert (folder / "a" / "one.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_folder_of_something_else_is_refused_and_not_touched(tmp_path):
    folder = build_once(tmp_path / "x", "things", make)
    with pytest.raises(ValueError, match=r"holds things; expected others\. Name another folder"):
        build_once(folder, "others", not_again)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(ValueError, match="holds other files; expected things"):
        build_once(tmp_path / "mine", "things", not_again)
    assert (tmp_path / "mine" / "thesis.txt").exists()
