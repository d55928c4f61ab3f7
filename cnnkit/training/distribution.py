"""Several processes, or several devices, that train one model by Keras's distribution API."""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from cnnkit import backend
from cnnkit.batches import behind

import keras
import numpy as np


class Processes(keras.callbacks.Callback):
    """The processes that train one model: `count` of them on `devices`; this one has an `index`.

    As the first of the callbacks, it brings the model back to each process at the end of an epoch,
    so that those after it save and predict as always. Only the `first` process writes.
    """

    def __init__(self, count: int = 1, index: int = 0, devices: int = 1) -> None:
        super().__init__()
        self.count, self.index, self.devices, self.first = count, index, devices, index == 0
        parallel = keras.distribution.DataParallel
        self._all = parallel(auto_shard_dataset=False) if devices > 1 else None

    def in_turn(self, make: Callable[[], Any]) -> Any:
        """Let the first process make something that stays, and then the others, who find it."""
        made = make() if self.first else None
        if self.count > 1:
            backend.from_first_process(np.int32(0))  # for which the others wait
        return made if self.first else make()

    @contextmanager
    def together(self, model: keras.Model, *datasets: Any) -> Iterator[None]:
        """Within it, ``fit`` trains a compiled model in all processes, as the first one has it."""
        if self._all is None:
            yield
            return
        shared = [self._shared(each, n) for n, each in enumerate(datasets) if each is not None]
        try:
            self.move(model)
            yield
        finally:
            keras.distribution.set_distribution(None)
            for batches in shared:
                batches.shard = None
        self.move(model, apart=True)
        model.make_train_function(force=True)  # for one device again
        model.make_test_function(force=True)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.move(self.model)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.move(self.model, apart=True)

    def move(self, model: keras.Model, apart: bool = False) -> None:
        """Let all processes make steps with a model; or each, `apart`, predict and save with it."""
        if self._all is None:
            return
        to = None if apart else self._all
        variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        values = [np.asarray(variable) for variable in variables]
        if to is not None:
            values = backend.from_first_process(values, to.device_mesh.backend_mesh)
        keras.distribution.set_distribution(to)  # in which all assign the same; saving assigns, too
        for variable, value in zip(variables, values, strict=True):
            variable._layout = None  # Keras has no public way to move a variable
            variable._layout = to and to.get_variable_layout(variable)
            variable.assign(value)

    def _shared(self, dataset: Any, validates: int) -> Any:
        found: Any = behind(dataset)
        n, sizes = self.devices, [found.sizes[0], found.sizes[-1]] if found else [0]
        if sizes[-1] < n or any(size % n for size in sizes[: 1 + validates]):
            raise ValueError(
                f"{n} devices share what data.image_folder or data.batches returns, with a "
                f"batch_size that is a multiple of {n}; so is the last batch of validation data."
            )
        found.shard = lambda all_: np.split(all_[: len(all_) // n * n], self.count)[self.index]
        return found


_current = Processes()


def current() -> Processes:
    """Return the processes that train together here; outside of `distributed`, this one alone."""
    return _current


@contextmanager
def distributed() -> Iterator[Processes]:
    """Let several processes train one model, each on its part of every batch.

    All run the same program on the same disk, with ``KERAS_BACKEND=jax``, and find one another by
    ``KERAS_DISTRIBUTION_JOB_ADDRESSES``, the ``host:port`` of the first (whoever reaches it can
    join), ``KERAS_DISTRIBUTION_NUM_PROCESSES``, and ``KERAS_DISTRIBUTION_PROCESS_ID``, from 0.
    Without these, one process trains on all its devices. Do this once, before anything is computed.
    When one process ends, JAX ends the others: start all again, and the run resumes. It yields
    `Processes`, with the attributes ``count``, ``index`` and ``first``.
    """
    global _current
    count = int(os.environ.get("KERAS_DISTRIBUTION_NUM_PROCESSES") or 1)
    index = int(os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID") or 0) if count > 1 else 0
    on_jax = keras.backend.backend() == "jax"
    if count > 1 and not on_jax:
        raise ValueError("Several processes train on JAX. Set KERAS_BACKEND=jax in all of them.")
    try:
        with backend.joined_processes() if count > 1 else nullcontext():
            devices = len(keras.distribution.list_devices()) if on_jax else 1
            _current = Processes(count, index, devices)
            yield _current
    except BaseException:
        if count > 1:  # at its end, JAX would wait for the others, who wait for this process
            atexit.register(lambda: print(end="", flush=True) or os._exit(1))
        raise
    finally:
        _current = Processes()
