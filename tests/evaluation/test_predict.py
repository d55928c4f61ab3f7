from cnnkit import evaluation, models

import keras
import numpy as np


def test_a_row_of_probabilities_for_each_picture():
    model = models.digits_cnn()
    images = np.random.default_rng(0).random((70, 8, 8, 1)).astype("float32")
    probabilities = evaluation.predict(model, images)
    assert probabilities.shape == (70, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(probabilities, keras.ops.convert_to_numpy(model(images)), atol=1e-6)
