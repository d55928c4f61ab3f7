"""A small run for several processes, for the tests that start and kill them: directory, epochs."""

import dataclasses
import json
import sys

from cnnkit import data, evaluation, training

import keras
import numpy as np

directory, epochs, source = sys.argv[1], int(sys.argv[2]), sys.argv[3]
random = np.random.default_rng(0)
labels = random.integers(0, 3, 90)
images = random.normal(labels[:, None, None, None], 1, (90, 12, 12, 3)).astype("float32")


def judge(model, validation):
    """Judge as a notebook does, each process by itself."""
    probabilities = evaluation.predict(model, images[60:])
    report = evaluation.report(validation.labels, probabilities, list("abc"))
    return {"accuracy": report.accuracy, "first": float(probabilities[0, 0])}


with training.distributed() as processes:
    keras.utils.set_random_seed(7 if processes.first else 8)  # the first one's weights count
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            keras.layers.Rescaling(1 / 255 if source == "folder" else 1),
            keras.layers.Conv2D(8, 3, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.25, seed=1),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    if source == "folder":
        train = data.image_folder(directory + "-photos", (12, 12), 10, shuffle=True, seed=3)
    else:
        train = data.batches(images[:60], labels[:60], 16, shuffle=True, seed=3)
    recipe = dataclasses.replace(training.recipes.ALEXNET, epochs=epochs, patience=1)
    validation = None if source == "folder" else data.batches(images[60:], labels[60:], 16)
    judged = judge if source == "judged" else None
    history = training.fit(model, recipe, train, validation, directory, judged, verbose=2)
    weights = [weight.tolist() for weight in model.get_weights()]
    print(json.dumps({"history": history.history, "weights": weights}))
