"""A small run in a process of its own, for the test that kills it: epochs, photos, directory."""

import dataclasses
import json
import sys
import time
from pathlib import Path

from conftest import RECIPE, fit, load

import keras

times: list[float] = []
photos, directory = map(Path, sys.argv[2:])
recipe = dataclasses.replace(RECIPE, epochs=int(sys.argv[1]), learning_rate=0.01, patience=1)
early = keras.callbacks.EarlyStopping("val_accuracy", patience=1000)
pace = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda *_: times.append(time.perf_counter() - start)
)
print("training", flush=True)
start = time.perf_counter()
fit(load(photos), directory, recipe=recipe, callbacks=[early, pace])
print(json.dumps({"first": times[0], "all": times[-1]} if times else {}))
