"""A small run in a process of its own, for the test that kills it: photos, directory, epochs."""

import dataclasses
import json
import sys
import time
from pathlib import Path

from cnnkit import data, training
from cnnkit.data import augment

import keras

photos, directory = map(Path, sys.argv[1:3])
train = data.image_folder(photos / "train", (20, 20), 8, shuffle=True, seed=3)
validation = data.image_folder(photos / "validation", (20, 20), 8)
training.reproducible(1)
model = keras.Sequential(
    [
        keras.Input((20, 20, 3)),
        augment.crop_and_flip(16),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
recipe = dataclasses.replace(
    training.recipes.ALEXNET, batch_size=8, epochs=int(sys.argv[3]), patience=1
)


class Pace(keras.callbacks.Callback):
    """Notes when the first epoch ends, and the last."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Look at the clock."""
        times.append(time.perf_counter() - start)


times: list[float] = []
start = time.perf_counter()
print("training", flush=True)
early = keras.callbacks.EarlyStopping("val_accuracy", patience=1000)
training.fit(model, recipe, train, validation, directory, callbacks=[early, Pace()], verbose=0)
print(json.dumps({"first": times[0], "all": times[-1]} if times else {}))
