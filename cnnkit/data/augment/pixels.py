"""Photos with other colours and with noise."""

from collections.abc import Sequence
from typing import Any

from cnnkit.batches import read
from cnnkit.data.augment.base import Augmentation

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("cnnkit")
class SaltAndPepper(Augmentation):
    """Make some pixels white and as many black.

    Parameters
    ----------
    share : float
        Share of the pixels that change, in [0, 1].
    **options
        ``value_range`` and ``seed``, as `Augmentation` has them.

    Raises
    ------
    ValueError
        A share out of range.
    """

    def __init__(self, share: float = 0.05, **options: Any) -> None:
        super().__init__(**options)
        if not 0 <= share <= 1:
            raise ValueError(f"share is {share}; expected 0 to 1.")
        self.share = share

    def change(self, images: Any) -> Any:
        """Strew salt and pepper."""
        low, high = self.value_range or (0, 255)
        draw = keras.random.uniform((*ops.shape(images)[:3], 1), seed=self.random)
        salted = ops.where(draw < self.share / 2, float(high), images)
        return ops.where(draw > 1 - self.share / 2, float(low), salted)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return super().get_config() | {"share": self.share}


@keras.saving.register_keras_serializable("cnnkit")
class PCAColor(Augmentation):
    """Shift the colour of each photo along the directions in which the training photos differ.

    Call `adapt` with the training photos before use. To each photo is added the sum of
    $a_i σ_i p_i$ over the three principal components $p_i$ of their pixels, $σ_i$ being the
    standard deviation along it and $a_i$ a normal random number.

    Parameters
    ----------
    deviation : float
        Standard deviation of the $a_i$.
    components : list of 3 lists of 3 floats, optional
        The $σ_i p_i$, where they are known already.
    **options
        ``value_range`` and ``seed``, as `Augmentation` has them.

    Notes
    -----
    The paper multiplies by the variance $σ_i^2$ instead, whose effect depends on the unit of the
    pixels; with the standard deviation it does not.

    References
    ----------
    A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet Classification with Deep Convolutional
    Neural Networks", NeurIPS 2012, section 4.1.
    """

    def __init__(
        self,
        deviation: float = 0.1,
        components: Sequence[Sequence[float]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.deviation = deviation
        self.components = components

    def adapt(self, images: Any) -> None:
        """Find the principal components.

        Parameters
        ----------
        images : ndarray, (n, height, width, 3), or iterable of such batches
            The training photos. Of batches (images, labels), labels are ignored.
        """
        count, total, products = 0, np.zeros(3), np.zeros((3, 3))
        for batch, _ in read([images] if isinstance(images, np.ndarray) else images):
            if len(batch.shape) != 4 or batch.shape[-1] != 3:
                raise ValueError(
                    f"The photos have shape {tuple(batch.shape)}; expected (n, height, width, 3)."
                )
            pixels = batch.astype("float64").reshape(-1, 3)
            count += len(pixels)
            total += pixels.sum(axis=0)
            products += pixels.T @ pixels
        if count == 0:
            raise ValueError("There are no photos to adapt to.")
        mean = total / count
        variances, directions = np.linalg.eigh(products / count - np.outer(mean, mean))
        deviations = np.sqrt(np.maximum(variances, 0))
        self.components = (deviations * directions).T.tolist()

    def change(self, images: Any) -> Any:
        """Shift the colours."""
        if self.components is None:
            raise ValueError("PCAColor knows no photos yet: call adapt(training_photos) first.")
        shape = (ops.shape(images)[0], 3)
        drawn = keras.random.normal(shape, stddev=self.deviation, seed=self.random)
        shift = drawn @ ops.convert_to_tensor(self.components, "float32")
        return images + shift[:, None, None, :]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return super().get_config() | {
            "deviation": self.deviation,
            "components": self.components,
        }
