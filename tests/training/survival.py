"""A small run in a process of its own, for the test that kills it: photos, directory, epochs."""

import dataclasses
import json
import sys
import time
from pathlib import Path

from conftest import RECIPE, fit, load

import keras


class Pace(keras.callbacks.Callback):
    """Notes when each epoch ends."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        times.append(time.perf_counter() - start)


times: list[float] = []
photos, directory = map(Path, sys.argv[1:3])
recipe = dataclasses.replace(RECIPE, epochs=int(sys.argv[3]), learning_rate=0.01, patience=1)
early = keras.callbacks.EarlyStopping("val_accuracy", patience=1000)
print("training", flush=True)
start = time.perf_counter()
fit(load(photos), directory, recipe=recipe, callbacks=[early, Pace()])
print(json.dumps({"first": times[0], "all": times[-1]} if times else {}))
