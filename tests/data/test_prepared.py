"""A prepared folder is whole or not there."""

import errno
import multiprocessing
import os
import time
from pathlib import Path

from cnnkit.data import prepared, store
from cnnkit.data.prepared import prepare

import pytest


def make(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "one.txt").write_text("one")
    (folder / "two.txt").write_text("two")


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != prepared.MANIFEST
    }


WHOLE = {"a/one.txt": "one", "two.txt": "two"}


def not_again(folder: Path) -> None:
    raise AssertionError("it was made again")


def test_a_second_call_makes_nothing(tmp_path):
    folder = prepare(tmp_path / "x", "things", make)
    assert prepare(folder, "things", not_again) == folder
    assert content(folder) == WHOLE
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "full"), ValueError])
def test_an_interruption_leaves_nothing_and_the_next_call_completes(error, tmp_path):
    def stop(folder: Path) -> None:
        (folder / "two.txt").write_text("tw")
        raise error

    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        prepare(tmp_path / "x", "things", stop)
    assert list(tmp_path.iterdir()) == []
    assert content(prepare(tmp_path / "x", "things", make)) == WHOLE


def kill(folder: Path) -> None:
    (folder / "two.txt").write_text("tw")
    os._exit(9)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot fork")
def test_what_a_killed_process_left_is_no_whole_and_does_not_hinder(tmp_path):
    process = multiprocessing.get_context("fork").Process(
        target=prepare, args=(tmp_path / "x", "things", kill)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    assert not (tmp_path / "x").exists()
    assert content(prepare(tmp_path / "x", "things", make)) == WHOLE
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def delete(folder: Path) -> None:
    (folder / "a" / "one.txt").unlink()
    (folder / "a").rmdir()


def cut(folder: Path) -> None:
    (folder / "two.txt").write_text("t")


@pytest.mark.parametrize("damage", [delete, cut])
def test_a_damaged_folder_is_mended_and_what_was_added_stays(damage, tmp_path):
    folder = prepare(tmp_path / "x", "things", make)
    (folder / "mine.txt").write_text("mine")
    damage(folder)
    assert content(prepare(folder, "things", make)) == WHOLE | {"mine.txt": "mine"}
    prepare(folder, "things", not_again)


@pytest.mark.parametrize("foreign", ["manifest", "files", "a file"])
def test_a_folder_of_something_else_is_not_touched(foreign, tmp_path):
    folder = tmp_path / "x"
    if foreign == "manifest":
        prepare(folder, "other things", make)
    elif foreign == "files":
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
    else:
        folder.write_text("mine")
    before = content(folder)
    with pytest.raises(ValueError, match=r"expected things\. Name another folder"):
        prepare(folder, "things", not_again)
    assert content(folder) == before


def test_a_manifest_that_cannot_be_read_is_told_as_such(tmp_path):
    folder = prepare(tmp_path / "x", "things", make)
    (folder / prepared.MANIFEST).write_text("")
    with pytest.raises(ValueError, match=r"x holds a manifest\.csv that .* or delete this one"):
        prepare(folder, "things", not_again)


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "x").mkdir()
    assert content(prepare(tmp_path / "x", "things", make)) == WHOLE


@pytest.mark.parametrize(
    ("code", "reason"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "you may not write there")],
)
def test_a_disk_that_cannot_be_written_is_named_with_the_cure(code, reason, tmp_path):
    def stop(folder: Path) -> None:
        raise OSError(code, os.strerror(code))

    with pytest.raises(OSError, match=f"{reason}.*CNNKIT_DATA"):
        prepare(tmp_path / "x", "things", stop)

    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"y was not made: .*x cannot be made.*CNNKIT_DATA"):
        prepare(tmp_path / "file" / "x" / "y", "things", stop)


def wait_and_make(folder: Path) -> None:
    time.sleep(0.5)
    make(folder)
    (folder / f"{os.getpid()}.txt").touch()


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot fork")
def test_one_that_waits_and_gives_up_leaves_the_other_alone(tmp_path):
    context = multiprocessing.get_context("fork")
    arguments = (tmp_path / "x", "things", wait_and_make)
    first, waiting = (context.Process(target=prepare, args=arguments) for _ in range(2))
    first.start()
    while first.is_alive() and not prepared.part_of(tmp_path / "x").exists():
        time.sleep(0.01)
    waiting.start()
    time.sleep(0.1)
    waiting.kill()
    waiting.join()
    assert prepare(tmp_path / "x", "things", not_again) == tmp_path / "x"  # waits for the first
    first.join()
    assert first.exitcode == 0
    assert set(WHOLE) <= set(content(tmp_path / "x"))


def test_an_interrupted_move_into_an_empty_folder_is_mended(tmp_path, monkeypatch):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / ".DS_Store").touch()
    replaced = iter(range(10))
    replace = Path.replace

    def stop(self, target):
        if next(replaced) == 2:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            prepare(tmp_path / "x", "things", make)
    prepare(tmp_path / "x", "things", make)
    assert set(WHOLE) <= set(content(tmp_path / "x"))


@pytest.fixture
def another_machine(tmp_path, monkeypatch):
    """Makes the folder as a machine would that shares the disk, and so not the lock."""

    def prepare_there() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(prepared.platform, "node", lambda: "another")
            patch.setattr(prepared, "lock_for", lambda path: tmp_path / "another.lock")
            assert content(prepare(tmp_path / "shared/x", "things", make)) == WHOLE

    return prepare_there


def test_two_machines_may_make_it_at_once(tmp_path, another_machine):
    def make_slowly(folder: Path) -> None:
        make(folder)
        another_machine()

    assert content(prepare(tmp_path / "shared/x", "things", make_slowly)) == WHOLE
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["x"]


def test_two_machines_may_end_at_once(tmp_path, monkeypatch, another_machine):
    rename = Path.rename

    def too_late(self, target):
        monkeypatch.setattr(Path, "rename", rename)
        another_machine()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", too_late)
    assert content(prepare(tmp_path / "shared/x", "things", make)) == WHOLE
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["x"]


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot fork")
def test_of_two_processes_one_makes_it(tmp_path):
    context = multiprocessing.get_context("fork")
    arguments = (tmp_path / "x", "things", wait_and_make)
    processes = [context.Process(target=prepare, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(content(tmp_path / "x")) == 3


def test_what_cannot_be_written_in_a_shared_folder_goes_to_the_cache(data_home, monkeypatch):
    cache = data_home / "cache"
    monkeypatch.setattr(store.platformdirs, "user_cache_dir", lambda name: str(cache / name))
    assert store.place("new") == data_home / "new"
    monkeypatch.setattr(store.os, "access", lambda path, mode: path != data_home)
    (data_home / "there").mkdir()
    assert store.place("there") == data_home / "there"
    assert store.place("new") == cache / "cnnkit" / "new"
