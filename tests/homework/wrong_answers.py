"""Answers that students give: of each assignment, by question and a part of the hint, the changes.

A change takes a piece of the solution and puts something else in its place. Where a part of the
question is right all the same, its points stand behind the hint.
"""

WRONG = {
    "01_convolution": {
        ("q3", "kernel is flipped"): {"* kernel)": "* kernel[::-1, ::-1])"},
        ("q4", "do not begin with 0"): {".max(axis=(2, 3))": ".max(axis=(2, 3), initial=0)"},
        ("q6", "biases are missing"): {"* 3 * FILTERS + FILTERS": "* 3 * FILTERS"},
        ("q3", "With stride 2", 2): {"(windows[::stride, ::stride] *": "(windows *"},
        ("q4", "size and stride are two numbers", 2): {
            "windows[::stride, ::stride].max": "windows[::size, ::size].max"
        },
    },
    "02_mnist": {
        ("q2", "dense layer is missing"): {
            "conv_parameters(3, FIRST, SECOND) + dense": "conv_parameters(3, FIRST, SECOND)"
        },
        ("q4", "too many. Most are in"): {
            "for filters in (16, 24, 32)": "for filters in (16, 24, 320)"
        },
        ("q5", "They are swapped"): {
            "matrix[:, k].sum(), right / matrix[k]": "matrix[k].sum(), right / matrix[:, k]"
        },
    },
    "03_cats_vs_dogs": {
        ("q2", "memorises its photos"): {'argmin(curves["val_loss"])': 'argmin(curves["loss"])'},
        ("q2", "need not be the best accuracy"): {  # which a count from 0 must not make right
            'np.argmin(curves["val_loss"])) + 1': 'np.argmax(curves["val_accuracy"]))'
        },
        ("q4", "Did you look into both classes", 2): {
            'sorted((folder / "test").rglob': 'sorted((folder / "test" / "cat").rglob'
        },
        ("q6", "Another seed", 2): {
            "np.random.default_rng(seed).permutation(np.unique": (
                "np.random.default_rng(1).permutation(np.unique"
            )
        },
        ("q3", "chose by the test set"): {"np.argmax(validation)": "np.argmax(test)"},
        ("q4", "You compare names"): {
            "known = {path.read_bytes(): path for": "known = {path.name: path for",
            "known[path.read_bytes()], path)": "known[path.name], path)",
            "for path in test if path.read_bytes() in": "for path in test if path.name in",
        },
        ("q6", "draw animals, not photos"): {
            "test = np.zeros(len(animals), bool)": (
                "drawn = np.random.default_rng(seed).permutation(len(animals))\n"
                "    return drawn < share * len(animals)"
            )
        },
    },
    "04_augmentation": {
        ("q2", "upside down"): {"photos[chosen, :, ::-1]": "photos[chosen, ::-1]"},
        ("q5", "same factor"): {
            "shape = (keras.ops.shape(photos)[0], 1, 1, 1)": "shape = (1, 1, 1, 1)"
        },
        ("q2", "not all that were chosen"): {
            "mirrored[chosen] = photos[chosen, :, ::-1]": "mirrored[:1] = photos[:1, :, ::-1]"
        },
        ("q5", "same in each step", 2): {"self.amount, seed=self.random)": "self.amount, seed=3)"},
        ("q4", "another one is worse", 2): {'culprit = "upside down"': 'culprit = "moved"'},
    },
    "05_feature_extraction": {
        ("q1", "rounds down, not up", 2): {"side //= 2": "side = -(-side // 2)"},
        ("q2", "biases are missing"): {
            "9 * channels * filters + filters": "9 * channels * filters"
        },
        ("q5", "divided the pixels by 255"): {
            "features = training.transfer.extract_features(base, photos)": (
                "images = np.concatenate([batch for batch, _ in photos])\n"
                "    features = base.predict(images / 255, verbose=0)"
            )
        },
        ("q5", "of the test photos, not on", 2): {
            "classifier.score(features_of(test), test.labels)": (
                "classifier.score(features_of(train), train.labels)"
            )
        },
    },
    "06_fine_tuning": {
        ("q1", "when you compile"): {'order = "cfabde"': 'order = "cfadbe"'},
        ("q3", "BatchNormalization is free", 2): {" and not normalises": ""},
        ("q4", "The other one has moved further", 2): {'large_steps = "B"': 'large_steps = "A"'},
        ("q4", "leave it out of the mean"): {"        if not np.array_equal(old, new)\n": ""},
    },
    "07_alexnet": {
        ("q1", "sticks out"): {
            "rows = [48, 23, 11, 5]": "rows = [48, 24, 12, 6]",
            "fc6 = rows[-1]": "fc6 = 5",
        },
        ("q4", "More than 2 epochs are three"): {"if waited > patience:": "if waited >= patience:"},
        ("q5", "Windows of different photos are mixed"): {
            "(photos_count, count, -1).mean(axis=1)": "(count, photos_count, -1).mean(axis=0)"
        },
        ("q3", "second step forgets"): {
            "velocity = momentum * velocity - learning_rate": "velocity = -learning_rate"
        },
    },
    "08_own_photos": {
        ("q3", "four numbers a channel"): {
            "7 * 7 * 3 * channels + 4 *": "7 * 7 * 3 * channels + 2 *",
            "4 * channels + channels * (channels": "2 * channels + channels * (channels",
            "4 * channels + channels * 4 * growth": "2 * channels + channels * 4 * growth",
            "total += 4 * 4 * growth + 9": "total += 2 * 4 * growth + 9",
            "return total + 4 * channels": "return total + 2 * channels",
        },
        ("q4", "still gives nan"): {"np.maximum(sums, 1)": "sums"},
        ("q5", "Long rows win"): {"(features @ query) / lengths": "(features @ query)"},
        ("q2", "transition halves"): {"channels //= 2\n    return after": "\n    return after"},
    },
    "09_shakenet": {
        ("q2", "same β: draw one for each", 1): {"(ops.shape(first)[0], 1, 1, 1)": "(1, 1, 1, 1)"},
        ("q2", "Backward both branches get half", 1): {
            "random + ops.stop_gradient(even - random)": "ops.stop_gradient(random - random) + even"
        },
        ("q5", "means are still there"): {
            "    first, second = first - first.mean(), second - second.mean()\n": ""
        },
        ("q4", "A whole wave"): {"np.cos(np.pi * step": "np.cos(2 * np.pi * step"},
    },
    "10_looking_inside": {
        ("q4", "not where it should be", 2): {
            "_ in range(steps):\n        (gradient,) = backend.gradients(function, picture)": (
                "_ in range(steps):\n        (gradient,) = backend.gradients(function, start)"
            ),
            "def climb(function, picture, steps, rate):": (
                "def climb(function, start, steps, rate):\n    picture = start"
            ),
        },
        ("q2", "speaks for other classes", 2): {
            "np.maximum((weights * maps).sum(axis=-1), 0)": "(weights * maps).sum(axis=-1)"
        },
        ("q4", "clip it in each step", 2): {
            "np.clip(picture + rate * gradient / (gradient.std() + 1e-8), 0, 1)": (
                "picture + rate * gradient / (gradient.std() + 1e-8)"
            )
        },
        ("q4", "It goes down"): {"picture + rate * gradient": "picture - rate * gradient"},
        ("q5", "looks past the faces", 2): {'cheats = "B"': 'cheats = "A"'},
    },
}
