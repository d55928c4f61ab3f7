"""What a data set is: its images in their order, its length, or a sentence that refuses it."""

from cnnkit import batches, data, evaluation, training

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

X = np.random.default_rng(0).random((10, 8, 8, 3)).astype("float32")
Y = np.arange(10) % 3
slices = tf.data.Dataset.from_tensor_slices
Generator = tf.keras.preprocessing.image.ImageDataGenerator


class ByNumber(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, n):
        return X[4 * n : 4 * n + 4], Y[4 * n : 4 * n + 4]


class AnewEachEpoch(ByNumber):
    def on_epoch_end(self):
        self.order = np.random.default_rng().permutation(10)


class AnewAtItsBeginning(ByNumber):
    on_epoch_begin = AnewEachEpoch.on_epoch_end


class WithoutEnd(ByNumber):
    __len__ = None
    num_batches = None


def by_four():
    return slices((X, Y)).batch(4)


def lot(images, labels):
    return images, labels


FIXED = {
    "arrays": lambda: data.batches(X, Y, 4),
    "tf.data": by_four,
    "mapped, cached, ahead": lambda: by_four().map(lot, num_parallel_calls=2).cache().prefetch(1),
    "filtered": lambda: slices((X, Y)).filter(lambda x, y: y >= 0).batch(4),
    "put together": lambda: slices((X[:3], Y[:3])).concatenate(slices((X[3:], Y[3:]))).batch(4),
    "images and labels zipped": lambda: tf.data.Dataset.zip((slices(X), slices(Y))).batch(4),
    "a PyDataset": lambda: ByNumber(),
    "Keras's old iterator": lambda: Generator().flow(X, Y, batch_size=4, shuffle=False),
    "taken apart, and put together": lambda: by_four().unbatch().batch(4).map(lot),
    "a list": lambda: [(X[:4], Y[:4]), (X[4:], Y[4:])],
    "a list without labels": lambda: [X[:4], X[4:8], X[8:]],
    "without labels": lambda: slices(X).batch(4),
}
LOOSE = {
    "arrays, shuffled": lambda: data.batches(X, Y, 4, shuffle=True),
    "shuffled": lambda: slices((X, Y)).shuffle(10).batch(4),
    "shuffled in one part": lambda: by_four().concatenate(slices((X, Y)).shuffle(9).batch(4)),
    "in parallel, as it comes": lambda: by_four().map(
        lot, num_parallel_calls=2, deterministic=False
    ),
    "interleaved": lambda: tf.data.Dataset.range(2).interleave(lambda _: by_four()),
    "a mixture": lambda: tf.data.Dataset.sample_from_datasets([by_four(), by_four()]),
    "tf.data of a generator": lambda: tf.data.Dataset.from_generator(
        lambda: iter(ByNumber()), output_signature=by_four().element_spec
    ),
    "without end": lambda: by_four().repeat(),
    "Keras's old iterator": lambda: Generator().flow(X, Y, batch_size=4),
    "a PyDataset that changes": lambda: AnewEachEpoch(),
    "a PyDataset that changes before": lambda: AnewAtItsBeginning(),
    "a generator": lambda: (ByNumber()[n] for n in range(3)),
    "another library's": type("Loader", (), {"__len__": lambda _: 3, "__iter__": ByNumber}),
}


def classifier():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    return keras.Sequential(layers)


def base():
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])


@pytest.mark.parametrize("name", FIXED)
def test_what_has_a_fixed_order_is_read_in_it(name, tmp_path):
    dataset, model = FIXED[name](), classifier()
    for _ in range(2):
        images, labels = zip(*batches.read(dataset), strict=True)
        np.testing.assert_array_equal(np.concatenate(images), X)
        if labels[0] is not None:
            np.testing.assert_array_equal(np.concatenate(labels), Y)
    expected = keras.ops.convert_to_numpy(model(X))
    np.testing.assert_allclose(evaluation.predict(model, dataset), expected, atol=1e-6)
    if name not in ("filtered", "taken apart, and put together"):  # whose length nobody knows
        found = training.transfer.extract_features(base(), dataset, tmp_path)
        assert found.shape == (10, 6, 6, 2)


@pytest.mark.parametrize("name", LOOSE)
def test_an_order_that_cannot_be_shown_is_refused_with_the_way_out(name, tmp_path):
    with pytest.raises(ValueError, match=r"endless|cannot be shown to be fixed.*np\.concatenate"):
        evaluation.predict(classifier(), LOOSE[name]())
    if name != "arrays, shuffled":  # whose order is known
        with pytest.raises(ValueError, match=r"The data set is (shuffled|endless)"):
            training.transfer.extract_features(base(), LOOSE[name](), tmp_path)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (X[:4], "is a ndarray"),
        (None, "is a NoneType"),
        (WithoutEnd(), "is endless"),
        ((X, Y), "is a tuple"),
        ("photos", "is a str"),
        (slices({"image": X, "label": Y}).batch(4), r"row\['image'\]"),
        (slices((X, Y, Y)).batch(4), "and no more"),
        (by_four().take(0), "no images"),
        (slices((X, Y)).filter(lambda x, y: y > 9).batch(4), "unknown length"),
    ],
)
def test_what_is_no_data_set_is_refused(dataset, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        training.transfer.extract_features(base(), dataset, tmp_path)


def test_what_is_made_of_a_folder_keeps_its_order(tmp_path):
    folder = data.drawings.write(tmp_path / "drawn", ["cat", "dog"], 3, seed=0, size=16)
    (images, _), *_ = batches.read(data.image_folder(folder, (8, 8)))
    expected = evaluation.predict(classifier(), images)
    for change in (lambda d: d.map(lot), lambda d: d.cache().prefetch(1)):
        found = evaluation.predict(classifier(), change(data.image_folder(folder, (8, 8))))
        np.testing.assert_allclose(found, expected, atol=1e-6)
        with pytest.raises(ValueError, match="shuffled"):
            evaluation.predict(
                classifier(), change(data.image_folder(folder, (8, 8), shuffle=True))
            )
    loader = keras.utils.image_dataset_from_directory
    for shuffle in (False, True):
        photos = loader(folder, image_size=(8, 8), shuffle=shuffle, verbose=False)
        assert batches.is_shuffled(photos) == shuffle


@pytest.mark.parametrize("end", [lambda d: (b for b in d), lambda d: d.repeat()])
def test_what_never_ends_is_refused_wherever_it_is_read(end):
    with pytest.raises(ValueError, match="endless"):
        data.augment.PCAColor().adapt(end(by_four()))
    with pytest.raises(ValueError, match="endless"):
        list(batches.read(end(by_four())))


def test_a_list_holds_pictures_or_batches():
    expected = evaluation.predict(classifier(), X)
    for given in (list(X), [(X, Y)], [X[:0], X], [[X[:5], Y[:5]], [X[5:], Y[5:]]]):
        np.testing.assert_allclose(evaluation.predict(classifier(), given), expected, atol=1e-6)
    drawn = [Image.fromarray(np.uint8(255 * picture)) for picture in X]
    assert evaluation.predict(classifier(), drawn).shape == (10, 3)
    for given, message in (
        ([{"image": X}], r"row\['image'\]"),
        ([X[0], X[0, :4]], "must have the same shape"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluation.predict(classifier(), given)
    with pytest.raises(ValueError, match=r"fit takes no list; call data\.batches"):
        training.fit(classifier(), training.recipes.MNIST, [(X, Y)], None, "nowhere")
