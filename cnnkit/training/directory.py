"""The directory of a run: what it is about, how it went, and what it goes on from."""

import errno
import hashlib
import json
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from cnnkit import files, plots
from cnnkit.training import locking, saving, state

import keras
import numpy as np

SPARE = 50  # times as long as it takes to draw or write something, before it is done again: 2 %
STATES = "state.npz", "state-before.npz"  # of the last epoch, and of the one before


class RunDirectory:
    """The files of a run. Use it in a ``with`` statement, which keeps other processes out.

    ``run.json`` says what the run is about; ``history.csv`` and ``curves.png`` how it went;
    ``best.keras`` and ``last.keras`` are models; ``state.npz`` holds what it takes to go on, and
    ``state-before.npz`` the same of the epoch before. With the state, an epoch counts; all else
    follows from it. A file takes its place when it is whole.

    Parameters
    ----------
    path : Path
        Made where it is missing.

    Raises
    ------
    OSError
        The directory cannot be written, or has no room.
    ValueError
        It holds something else, or another process is training in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._undrawn: dict[str, list[float]] | None = None  # curves that came too fast
        self._draw_from = 0.0  # the time when they may be drawn again

    def __enter__(self) -> "RunDirectory":
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"{self.path} is a file; expected a directory.")
        others = files.visible(self.path)
        if others and "run.json" not in others:
            raise ValueError(
                f"{self.path} holds no run, but {others[0]}. Name a directory of the run's own."
            )
        with told(self.path):
            self._lock = locking.lock(self.path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._undrawn:
                self._draw(self._undrawn)
        finally:
            self._lock.release()

    def claim(self, about: dict[str, Any]) -> None:
        """Take note of what the run is about, and refuse the directory of another.

        Parameters
        ----------
        about : dict
            What has to agree, part by part, and the ``versions``, which need not.

        Raises
        ------
        ValueError
            The directory holds another run, or something else. One that never ended an epoch
            gives way.
        """
        try:
            self.compare(about)
        except ValueError:
            if not self._without_epoch():
                raise
            for name in STATES:
                (self.path / name).unlink(missing_ok=True)
        text = json.dumps(about, indent=2, ensure_ascii=False).encode()
        with told(self.path):
            files.replace(self.path / "run.json", lambda file: file.write(text))

    def compare(self, about: dict[str, Any]) -> None:
        """Refuse the directory of another run, or of none that is whole, as `claim` does."""
        about = json.loads(json.dumps(about))
        there = None
        try:
            there = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
            if not about.keys() & there.keys():
                raise ValueError("something else")
            differences = list(_differences(there, about))
        except FileNotFoundError:
            differences = []
        except (ValueError, AttributeError, TypeError):
            differences, there = ["its run.json is damaged"], None
        before = there and there.get("versions")
        other_versions = there and before != about["versions"]
        if differences:
            if other_versions:
                differences.append(f"versions are {before} there and {about['versions']} here")
            raise ValueError(
                f"{self.path} does not hold this run: {'; '.join(differences)}. Name another "
                "directory, or empty this one to begin anew."
            )
        if other_versions:
            warnings.warn(
                f"{self.path} was written with {before}, and now goes on with "
                f"{about['versions']}; figures may differ.",
                stacklevel=4,
            )

    def _without_epoch(self) -> bool:
        try:
            about, _ = state.read(self.path / STATES[0])
        except (FileNotFoundError, ValueError):
            return False
        return about.get("history") == [] and not (self.path / "last.keras").exists()

    def read_state(self) -> tuple[dict[str, Any], list[np.ndarray]] | None:
        """Read the last state, or the one before where the last is damaged; None if there is none.

        Raises
        ------
        ValueError
            All that is there is damaged.
        """
        damaged = []
        for name in STATES:
            try:
                found = state.read(self.path / name)
            except FileNotFoundError:
                continue
            except ValueError:
                damaged.append(self.path / name)
                continue
            for path in damaged:
                epoch = len(found[0]["history"])
                warnings.warn(f"{path} is damaged; going on after epoch {epoch}.", stacklevel=4)
                path.replace(path.with_suffix(".damaged"))
            return found
        if damaged:
            raise ValueError(
                f"{' and '.join(map(str, damaged))} are damaged, so the run cannot go on. Name "
                "another directory; best.keras and last.keras may still serve."
            )
        if (self.path / "last.keras").exists():
            raise ValueError(
                f"{self.path} holds a run whose state was deleted, so that it cannot go on. Load "
                "its best.keras, or name another directory."
            )
        return None

    def key(self) -> str:
        """Return a key of the state that the run goes on from."""
        there = [self.path / name for name in STATES if (self.path / name).exists()]
        return hashlib.sha256(there[0].read_bytes()).hexdigest() if there else ""

    def write_state(self, about: dict[str, Any], values: Sequence[Any]) -> None:
        """Write a state, and keep the last one as the one before."""
        last, before = (self.path / name for name in STATES)
        with told(self.path):
            state.write(last, about, values, keep=before)

    def save(self, model: keras.Model, name: str) -> None:
        """Write a model to ``name.keras``."""
        with told(self.path):
            saving.save(model, self.path / f"{name}.keras")

    def show(self, history: Sequence[state.Figures]) -> None:
        """Write how the run went: a table, and the learning curves as a picture.

        Drawing takes a fiftieth of the time at most: not each epoch has its picture; the last does.
        """
        columns = state.curves(history)
        with self._tolerated():
            rows = zip(*columns.values(), strict=True)
            numbered = [[epoch, *row] for epoch, row in enumerate(rows, start=1)]
            files.write_table(self.path / "history.csv", [["epoch", *columns], *numbered])
        self._undrawn = columns
        if time.monotonic() >= self._draw_from:
            self._draw(columns)

    def _draw(self, columns: dict[str, list[float]]) -> None:
        start = time.monotonic()
        with self._tolerated():
            figure = plots.learning_curves(columns)
            files.replace(
                self.path / "curves.png", lambda file: figure.savefig(file, format="png", dpi=150)
            )
        now = time.monotonic()
        self._undrawn, self._draw_from = None, now + SPARE * (now - start)

    @contextmanager
    def _tolerated(self) -> Iterator[None]:
        """Go on without a table that is open in Excel, and the like."""
        try:
            yield
        except OSError as error:
            warnings.warn(f"{self.path} lacks its last figures: {error}", stacklevel=4)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say what an error of the disk means for the run in a directory."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"{path} cannot be written: {os.strerror(error.errno or errno.EIO)}. Make "
            "room there, or allow writing, and call again: the run goes on after the last "
            "epoch that it holds. Or name another directory.",
        ) from error


def _differences(there: dict[str, Any], here: dict[str, Any]) -> Iterator[str]:
    """Say in which parts two runs differ.

    More or fewer epochs make no other run, unless the learning rate falls by one wave over all.
    """
    for part in dict.fromkeys([*here, *there]):
        if part == "versions":
            continue
        found, values = there.get(part), here.get(part)
        if not isinstance(values, dict) or not isinstance(found, dict):
            if found != values:
                yield f"{part} is {found!r} there and {values!r} here"
            continue
        one_wave = values.get("cosine") and values.get("restart_after") is None
        for name, value in values.items():
            free = name == "epochs" and not one_wave
            if not free and found.get(name, value) != value:
                yield f"{part}, {name}: {found[name]!r} there and {value!r} here"
