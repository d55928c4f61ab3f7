"""Kaggle's own client, talking to a small server on this machine."""

import errno
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlparse

from cnnkit import data
from cnnkit.data import kaggle_archive

import pytest

GOOD_TOKEN = "KGAT_good"


def small_archive() -> bytes:
    """An archive of Kaggle's layout with twenty photos, longer than the client's chunks."""
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as photos:
        for number in range(10):
            for kind in ("cat", "dog"):
                photos.writestr(f"train/{kind}.{number}.jpg", f"{kind} {number}" * 500)
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("train.zip", inner.getvalue())
        archive.writestr("test1.zip", bytes(6 * 2**20))
    return outer.getvalue()


class Kaggle(BaseHTTPRequestHandler):
    """As much of Kaggle as the client asks for. `server.kaggle` says how it behaves."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kaggle = self.server.kaggle
        request = urlparse(self.path).path.rsplit("/", 1)[-1]
        kaggle.requests.append((request, self.headers.get("Authorization", "")))
        if request == "IntrospectToken":
            self._introspect(kaggle)
        elif request == "DownloadDataFiles":
            if kaggle.status != 200:
                self._answer(kaggle.status, json.dumps({"code": kaggle.status, "message": "no"}))
            else:
                self.send_response(302)
                self.send_header("Location", "http://localhost/files/archive.zip")
                self.send_header("Content-Length", "0")
                self.end_headers()
        else:
            self._answer(404, "{}")

    def _introspect(self, kaggle: SimpleNamespace) -> None:
        good = self.headers.get("Authorization") == f"Bearer {GOOD_TOKEN}"
        status = 200 if good else kaggle.bad_token_status
        self._answer(status, json.dumps({"active": good, "username": "student"}))

    def do_GET(self) -> None:
        kaggle = self.server.kaggle
        content = kaggle.content
        start = 0
        if wanted := self.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            kaggle.continued.append(start)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"1"')
        self.end_headers()
        end = len(content)
        if kaggle.cuts:
            kaggle.cuts -= 1
            end = start + (len(content) - start) // 2
        with suppress(OSError):  # the client has hung up to continue what it has
            self.wfile.write(content[start:end])
        self.close_connection = True

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def kaggle(data_home: Path, tmp_path: Path, monkeypatch) -> Iterator[SimpleNamespace]:
    """A Kaggle of our own, an empty home, and a client that waits for nothing."""
    with monkeypatch.context() as signed_in:  # older versions end the process without a token
        signed_in.setenv("KAGGLE_USERNAME", "student")
        signed_in.setenv("KAGGLE_KEY", "k")
        pytest.importorskip("kaggle")
    from kaggle.api import kaggle_api_extended

    server = ThreadingHTTPServer(("127.0.0.1", 0), Kaggle)
    server.kaggle = SimpleNamespace(
        status=200, bad_token_status=401, cuts=0, continued=[], content=small_archive(), requests=[]
    )
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(kaggle_api_extended.KaggleApi, "args", ["--local"])  # http://localhost
    for name in ("HTTP_PROXY", "http_proxy"):  # which stands behind this proxy
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    home = data_home / "home"
    (home / ".kaggle").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("KAGGLE_CONFIG_DIR", raising=False)
    monkeypatch.setattr(
        kaggle_api_extended.KaggleApi, "config", str(home / ".kaggle" / "kaggle.json")
    )
    monkeypatch.setattr(kaggle_api_extended.time, "sleep", lambda seconds: None)
    server.kaggle.home = home / ".kaggle"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield server.kaggle
    server.shutdown()
    server.server_close()


def use_new_token(kaggle: SimpleNamespace, token: str = GOOD_TOKEN) -> None:
    (kaggle.home / "access_token").write_text(token + "\n")


def use_old_token(kaggle: SimpleNamespace) -> None:
    (kaggle.home / "kaggle.json").write_text(json.dumps({"username": "student", "key": "k"}))


def fail() -> str:
    with pytest.raises(FileNotFoundError) as caught:
        kaggle_archive.get("dogs-vs-cats")
    message = str(caught.value)
    assert "kaggle.com/c/dogs-vs-cats" in message
    assert "CNNKIT_DATA" in message and '"sample"' in message
    return message


@pytest.mark.parametrize("use", [use_new_token, use_old_token])
def test_the_archive_is_downloaded_with_either_token(use, kaggle, data_home):
    use(kaggle)
    archive = kaggle_archive.get("dogs-vs-cats")
    assert archive == data_home / "dogs-vs-cats.zip"
    assert archive.read_bytes() == kaggle.content
    scheme = "Bearer" if use is use_new_token else "Basic"
    assert all(sent.startswith(scheme) for _, sent in kaggle.requests)
    assert sorted(path.name for path in data_home.iterdir()) == ["dogs-vs-cats.zip", "home"]
    requests = len(kaggle.requests)
    assert kaggle_archive.get("dogs-vs-cats") == archive
    assert len(kaggle.requests) == requests


@pytest.mark.parametrize(
    "variables",
    [{"KAGGLE_API_TOKEN": GOOD_TOKEN}, {"KAGGLE_USERNAME": "student", "KAGGLE_KEY": "k"}],
)
def test_tokens_in_the_environment_serve(variables, kaggle, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert kaggle_archive.get("dogs-vs-cats").is_file()


def test_the_photos_are_prepared_from_the_download(kaggle):
    use_new_token(kaggle)
    folder = data.cats_vs_dogs("full", "half", sample_size=20)
    assert len(list(folder.glob("*/*/*.jpg"))) == 20


def test_no_token(kaggle, capfd):
    message = fail()
    assert "there is no Kaggle token" in message
    assert "Generate New Token" in message and "~/.kaggle/access_token" in message
    assert kaggle.requests == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_new_token_that_is_refused(status, kaggle, capfd):
    kaggle.bad_token_status = status
    use_new_token(kaggle, "KGAT_old")
    message = fail()
    assert f"refuses the token in {kaggle.home / 'access_token'}" in message
    assert "make a new one" in message
    assert capfd.readouterr().out == ""


def test_an_old_token_that_is_refused(kaggle):
    use_old_token(kaggle)
    kaggle.status = 401
    message = fail()
    assert f"refuses the token in {kaggle.home / 'kaggle.json'} (401), which has the old form" in (
        message
    )


@pytest.mark.parametrize("text", ["KGAT_good", "[]", "{", '{"username": "student"}'])
def test_a_new_token_in_the_old_file(text, kaggle):
    (kaggle.home / "kaggle.json").write_text(text)
    assert "a token of the new form has its own file" in fail()


def test_rules_that_were_not_accepted(kaggle):
    use_new_token(kaggle)
    kaggle.status = 403
    message = fail()
    assert "the rules of dogs-vs-cats are not accepted (403)" in message
    assert "https://www.kaggle.com/c/dogs-vs-cats/rules" in message


def test_another_answer_is_passed_on(kaggle):
    use_new_token(kaggle)
    kaggle.status = 503
    assert "Kaggle answered 503" in fail()


def test_a_download_cut_once_goes_on(kaggle):
    use_new_token(kaggle)
    kaggle.cuts = 1
    assert kaggle_archive.get("dogs-vs-cats").read_bytes() == kaggle.content


def test_a_download_cut_again_and_again_is_continued_by_the_next_call(kaggle, data_home):
    use_new_token(kaggle)
    kaggle.cuts = 6
    assert "cut short" in fail()
    assert not (data_home / "dogs-vs-cats.zip").exists()
    kaggle.continued.clear()
    assert kaggle_archive.get("dogs-vs-cats").read_bytes() == kaggle.content
    assert kaggle.continued[0] >= len(kaggle.content) // 2


def test_a_page_instead_of_the_archive_is_not_kept(kaggle, data_home):
    use_new_token(kaggle)
    kaggle.content, whole = b"<html>Please sign in</html>", kaggle.content
    assert "no zip file" in fail()
    assert not (data_home / "dogs-vs-cats.zip").exists()
    kaggle.content = whole
    assert kaggle_archive.get("dogs-vs-cats").read_bytes() == whole


def test_a_key_without_a_name_is_no_token(kaggle, monkeypatch):
    monkeypatch.setenv("KAGGLE_KEY", "k")
    assert "there is no Kaggle token" in fail()


def test_no_network(kaggle, monkeypatch):
    use_new_token(kaggle)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert "Look at the network" in fail()


def test_a_disk_that_fills(kaggle, data_home, monkeypatch):
    from kaggle.api.kaggle_api_extended import KaggleApi

    def fill(self, competition, path, quiet):
        Path(path, "dogs-vs-cats.zip").write_bytes(b"PK")
        raise OSError(errno.ENOSPC, "No space left on device")

    use_new_token(kaggle)
    monkeypatch.setattr(KaggleApi, "competition_download_files", fill)
    with pytest.raises(OSError, match="the disk is full") as caught:
        kaggle_archive.get("dogs-vs-cats")
    assert caught.value.errno == errno.ENOSPC
    assert not (data_home / "dogs-vs-cats.zip").exists()


@pytest.mark.parametrize("ending", [SystemExit(1), OSError("Could not find kaggle.json")])
def test_a_package_that_ends_the_process_as_it_signs_in_is_contained(ending, kaggle, monkeypatch):
    from kaggle.api.kaggle_api_extended import KaggleApi

    def end(self):
        print("Authentication required")
        raise ending

    use_new_token(kaggle)
    monkeypatch.setattr(KaggleApi, "authenticate", end)
    assert "refuses the token" in fail()
