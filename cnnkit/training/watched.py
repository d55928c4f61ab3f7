"""The directory of a run, seen from a process that does not write it."""

from collections.abc import Sequence
from typing import Any

from cnnkit.training import state
from cnnkit.training.directory import RunDirectory

import keras


class WatchedDirectory(RunDirectory):
    """The directory of a run that another process writes; this one only reads it."""

    def __enter__(self) -> "WatchedDirectory":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def claim(self, about: dict[str, Any]) -> None:
        """Make sure that it is the directory of this run."""
        if not (self.path / "run.json").exists():
            raise ValueError(
                f"{self.path} does not show what the first process writes there; name a directory "
                "that all processes see."
            )
        self.compare(about)

    def write_state(self, about: dict[str, Any], values: Sequence[Any]) -> None:
        """Leave it to the other process."""

    def save(self, model: keras.Model, name: str) -> None:
        """Leave it to the other process."""

    def show(self, history: Sequence[state.Figures]) -> None:
        """Leave it to the other process."""
