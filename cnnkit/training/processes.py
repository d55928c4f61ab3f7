"""The processes that train one model together, and what each of them does."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from cnnkit import backend
from cnnkit.training import state

import keras
import numpy as np

T = TypeVar("T")


class Processes:
    """The processes of a job, of which this is one, as `distributed` yields them.

    Parameters
    ----------
    index, count : int
        Which one, from 0, and of how many.
    devices : sequence of str
        On which all of them train, as Keras names them; with one or none, nothing is shared.

    Attributes
    ----------
    index, count : int
    first : bool
        Whether this is the one that writes and speaks.
    """

    def __init__(self, index: int = 0, count: int = 1, devices: Sequence[str] = ()) -> None:
        self.index, self.count, self.first = index, count, index == 0
        self._devices = len(devices)
        self._distribution = (
            keras.distribution.DataParallel(devices=list(devices), auto_shard_dataset=False)
            if self._devices > 1
            else None
        )
        self._own: keras.Model | None = None  # the model that a replica is one of

    def in_turn(self, make: Callable[[], T]) -> T:
        """Let the first process make something that stays, and then the others, who find it.

        Parameters
        ----------
        make : callable
            Takes nothing. All processes call it.

        Returns
        -------
        object
            What it returned in this process.
        """
        if not self.first:
            backend.wait_for_processes()
        made = make()
        if self.first and self.count > 1:
            backend.wait_for_processes()
        return made

    def from_first(self, make: Callable[[], Any]) -> Any:
        """Let the first process make something by itself, and give it to all.

        Parameters
        ----------
        make : callable
            Takes nothing, and returns what JSON can carry.

        Returns
        -------
        object
            What it returned in the first process.
        """
        with self.apart():
            made = make() if self.first else None
        return made if self.count == 1 else backend.from_first_process(made)

    def agree(self, make: Callable[[], str], problem: str) -> None:
        """Raise ValueError where what this process makes is not what the first one does."""
        if self.count > 1:
            value = make()
            if self.from_first(lambda: value) != value:
                raise ValueError(problem)

    def together(self) -> AbstractContextManager:
        """Within it, models are built and trained in all processes at once."""
        return self._distribution.scope() if self._distribution else nullcontext()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Within it, this process computes and saves by itself."""
        before = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(before)

    def replica(
        self, model: keras.Model, make_ready: Callable[[keras.Model], None]
    ) -> keras.Model:  # fmt: skip
        """Return a copy that all train together, made ready; where this process is alone, it."""
        if self._distribution is None:
            return model
        before = random.getstate()
        random.seed(0)  # what is drawn for weights has to be the same in all processes
        try:
            with self.together():
                replica = keras.models.clone_model(model)
                make_ready(replica)
        finally:
            random.setstate(before)
        self._own = model
        return replica

    def own(self, replica: keras.Model) -> keras.Model:
        """Return the model that a replica stands for, with its weights, for this process alone."""
        if self._own is None:
            return replica
        with self.apart():
            self._own.set_weights(replica.get_weights())
        return self._own

    def hand_back(self, replica: keras.Model, model: keras.Model) -> None:
        """Bring a compiled model to where its compiled replica is."""
        if replica is not model:
            state.set_values(model, [np.asarray(value) for value in state.values(replica)])

    @contextmanager
    def sharing(self, about: dict[str, Any], **datasets: Any) -> Iterator[None]:
        """Let data sets, of which `subject.describe` told, hand out this process's share.

        Raises
        ------
        ValueError
            One cannot be shared, or its batches cannot be shared evenly.
        """
        shared = {part: each for part, each in datasets.items() if each is not None}
        shared = shared if self._distribution else {}
        for part, dataset in shared.items():
            if not hasattr(dataset, "share"):
                raise ValueError(
                    f"{type(dataset).__name__} cannot be shared by several processes; give what "
                    "data.image_folder or data.batches returns."
                )
            batch, last = about[part]["batch size"], about[part]["shape"][0]
            last = last % batch or batch
            uneven = last % self._devices if part == "validation" else last < self._devices
            if batch % self._devices or uneven:
                raise ValueError(
                    f"The {part} set has batches of {batch}, and {last} in the last one, for "
                    f"{self._devices} devices; expected a multiple of {self._devices}, and in the "
                    f"last one {'too' if part == 'validation' else 'no fewer'}. Take another "
                    "batch_size" + (", or give `evaluate`." if part == "validation" else ".")
                )
        try:
            for dataset in shared.values():
                dataset.share(self._share)
            yield
        finally:
            for dataset in shared.values():
                dataset.share(None)

    def _share(self, numbers: np.ndarray) -> np.ndarray:
        """Return the part of a batch that is this process's, as large as the others'.

        What is left of the last batch of an epoch, less than one picture a device, is left out.
        """
        even = len(numbers) - len(numbers) % self._devices
        return np.split(numbers[:even], self.count)[self.index]


_current = Processes()


def current() -> Processes:
    """Return the processes that train together here; outside of `distributed`, this one alone."""
    return _current


@contextmanager
def during(processes: Processes) -> Iterator[Processes]:
    """Let these be the current ones."""
    global _current
    _current = processes
    try:
        yield processes
    finally:
        _current = Processes()
