"""Shake-shake: two branches mixed at random, and their gradients mixed in another way."""

from collections.abc import Callable
from typing import Any

from cnnkit import checks

import keras
from keras import ops

FORWARD = ("even", "shake")
LEVELS = ("image", "batch")
# Bounds of β for α up to ½. Above, the mirror image 1 − α takes the place of α, and β is mirrored.
RULES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "end_to_alpha": lambda alpha: (0.0, alpha),
    "alpha_to_half": lambda alpha: (alpha, 0.5),
    "half_to_mirror": lambda alpha: (0.5, 1 - alpha),
    "mirror_to_end": lambda alpha: (1 - alpha, 1.0),
    "mirror": lambda alpha: (1 - alpha, 1 - alpha),
}
BACKWARD = ("even", "shake", "keep", *RULES)


@keras.saving.register_keras_serializable("cnnkit")
class ShakeShake(keras.Layer):
    r"""Mixes two branches, in training at random: $α b_1 + (1 - α) b_2$.

    On the way back, β takes the place of α: of the gradient g, the first branch gets β g and the
    second (1 − β) g. Both coefficients are drawn anew in each step; in inference they are ½.

    Parameters
    ----------
    forward : {"even", "shake"}
        α is ½, or uniform in [0, 1].
    backward : str
        β is ½ (``"even"``), uniform in [0, 1] whatever α is (``"shake"``), or α (``"keep"``).
        Or its name says where it lies, for α up to ½: uniform in [0, α] (``"end_to_alpha"``),
        [α, ½] (``"alpha_to_half"``), [½, 1 − α] (``"half_to_mirror"``) or [1 − α, 1]
        (``"mirror_to_end"``), or at 1 − α (``"mirror"``). Above ½, all of it is mirrored.
    level : {"image", "batch"}
        Whether each picture of a batch has coefficients of its own, or all share them.
    seed : int, optional
        Without it, Keras's global seed decides.

    Notes
    -----
    A saved model with this layer is loaded after ``import cnnkit``.

    References
    ----------
    X. Gastaldi, "Shake-Shake regularization", arXiv:1705.07485, 2017, sections 1, 2 and 3.3.
    """

    mixes_branches = True  # for evaluation.branch_correlation

    def __init__(
        self,
        forward: str = "shake",
        backward: str = "shake",
        level: str = "image",
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        checks.one_of("forward", forward, FORWARD)
        checks.one_of("backward", backward, BACKWARD)
        checks.one_of("level", level, LEVELS)
        # Not `forward` and `backward`: on PyTorch, layers have methods of these names.
        self.mode = {"forward": forward, "backward": backward, "level": level}
        self.seed = seed
        self.random = keras.random.SeedGenerator(seed)

    def call(
        self, branches: Any, training: bool = False, alpha: Any = None, beta: Any = None
    ) -> Any:
        """Mix two branches.

        Parameters
        ----------
        branches : list of two tensors, (n, …)
            Of the same shape.
        training : bool
            Whether to shake.
        alpha, beta : float or array, (n,) or (1,), optional
            In training, instead of drawn ones.

        Returns
        -------
        tensor, (n, …)

        Raises
        ------
        ValueError
            Something else than two branches of the same shape, or coefficients that are not one a
            picture or one for all.
        """
        several = isinstance(branches, list | tuple)
        _check_alike([tuple(branch.shape) for branch in branches] if several else branches.shape)
        first, second = branches
        if not training:
            return (first + second) * 0.5
        difference = first - second
        shape = (-1,) + (1,) * (len(first.shape) - 1)
        alpha, beta = (
            ops.reshape(ops.cast(each, first.dtype), shape)
            for each in self.coefficients(ops.shape(first)[0], alpha, beta)
        )
        # second + α·difference, whose gradient sees β alone.
        return second + beta * difference + ops.stop_gradient((alpha - beta) * difference)

    def coefficients(self, count: int, alpha: Any = None, beta: Any = None) -> tuple[Any, Any]:
        """Return α and β of a training step, and draw those that are not given.

        Parameters
        ----------
        count : int
            Pictures in the batch.
        alpha, beta : float or array, (n,) or (1,), optional

        Returns
        -------
        alpha, beta : tensor, (n,) or, for the level ``"batch"``, (1,)
            (n,) as well where (n,) was given.

        Raises
        ------
        ValueError
            Coefficients that are not one a picture or one for all.
        """
        shape = (count if self.mode["level"] == "image" else 1,)
        if alpha is not None:
            alpha = _given("alpha", alpha, count, shape)
        elif self.mode["forward"] == "shake":
            alpha = self._draw(shape)
        else:
            alpha = ops.full(shape, 0.5, dtype="float32")
        return alpha, self._beta(alpha) if beta is None else _given("beta", beta, count, shape)

    def _beta(self, alpha: Any) -> Any:
        backward = self.mode["backward"]
        if backward == "keep":
            return alpha
        if backward == "even":
            return ops.full_like(alpha, 0.5)
        drawn = self._draw(ops.shape(alpha))
        if backward == "shake":
            return drawn
        low, high = RULES[backward](ops.minimum(alpha, 1 - alpha))
        beta = low + (high - low) * drawn
        return ops.where(alpha <= 0.5, beta, 1 - beta)

    def _draw(self, shape: Any) -> Any:
        return keras.random.uniform(shape, dtype="float32", seed=self.random)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of a branch."""
        _check_alike(input_shape)
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), **self.mode, "seed": self.seed}


def _check_alike(shapes: Any) -> None:
    """Raise ValueError unless these are two shapes, and the same."""
    several = all(isinstance(shape, list | tuple) for shape in shapes)
    if not several or len(shapes) != 2 or shapes[0] != shapes[1]:
        raise ValueError(
            f"ShakeShake was given {shapes}; expected a list of two tensors of the same shape."
        )


def _given(name: str, values: Any, count: Any, shape: tuple) -> Any:
    """Return given coefficients, one for each picture where the level asks for that."""
    values = ops.reshape(ops.cast(ops.convert_to_tensor(values), "float32"), (-1,))
    if values.shape[0] == 1:
        return ops.broadcast_to(values, shape)
    if isinstance(count, int) and values.shape[0] != count:
        raise ValueError(
            f"{name} holds {values.shape[0]} numbers for {count} pictures; expected one a picture, "
            "or one for all."
        )
    return values
