"""A directory is locked while a run trains in it, and not longer."""

import errno
import os

from cnnkit import plots
from cnnkit.training.directory import RunDirectory
from cnnkit.training.locking import lock

import filelock
import pytest


@pytest.fixture
def fails(monkeypatch):
    """Lets the system answer a lock with an error."""

    def with_error(error: Exception) -> None:
        def acquire(self, timeout):
            raise error

        monkeypatch.setattr(filelock.FileLock, "acquire", acquire)

    return with_error


@pytest.mark.parametrize(
    "error",
    [NotImplementedError("no flock"), OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))],
)
def test_a_disk_without_locks_is_told_and_used(tmp_path, fails, error):
    fails(error)
    with pytest.warns(UserWarning, match="cannot lock it; let no other process train there"):
        lock(tmp_path / "run").release()


def test_another_error_of_the_disk_stays_one(tmp_path, fails):
    fails(OSError(errno.EIO, os.strerror(errno.EIO)))
    with pytest.raises(OSError, match="Make room there"), RunDirectory(tmp_path / "run"):
        pass


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / ".model-abc").mkdir()
    (tmp_path / ".model-abc/weights").touch()
    (tmp_path / ".state.npz.123.part").touch()
    (tmp_path / "state.npz").touch()
    lock(tmp_path).release()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "state.npz"]


def test_curves_that_cannot_be_drawn_leave_no_lock(tmp_path, monkeypatch):
    """Such as by a second Ctrl-C."""

    def interrupted(columns):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), RunDirectory(tmp_path) as run:
        run.show([{"loss": 1.0}])
        monkeypatch.setattr(plots, "learning_curves", interrupted)
        run.show([{"loss": 1.0}, {"loss": 0.5}])
    lock(tmp_path).release()


def test_what_cannot_be_removed_leaves_no_lock(tmp_path, monkeypatch):
    (tmp_path / ".model-abc").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda path: (_ for _ in ()).throw(OSError("busy")))
        with pytest.raises(OSError, match="busy"):
            lock(tmp_path)
    lock(tmp_path).release()
