"""Shake-shake: branches mixed at random, and their gradients mixed in another way."""

from typing import Any

from cnnkit import checks

import keras
from keras import ops

RULES = {  # bounds of β for α up to ½; above, 1 − α takes the place of α, and β is mirrored
    "end_to_alpha": lambda alpha: (0.0, alpha),
    "alpha_to_half": lambda alpha: (alpha, 0.5),
    "half_to_mirror": lambda alpha: (0.5, 1 - alpha),
    "mirror_to_end": lambda alpha: (1 - alpha, 1.0),
    "mirror": lambda alpha: (1 - alpha, 1 - alpha),
}
FORWARD, BACKWARD, LEVELS = ("even", "shake"), ("even", "shake", "keep", *RULES), ("image", "batch")


@keras.saving.register_keras_serializable("cnnkit")
class ShakeShake(keras.Layer):
    r"""Mixes two branches, in training at random: $α b_1 + (1 - α) b_2$.

    On the way back, β takes the place of α: of the gradient g, the first branch gets β g and the
    second (1 − β) g. Both coefficients are drawn anew in each step; in inference they are ½.
    Of k branches, each has its own coefficient, and these add up to 1; in inference, all are 1/k.
    Source: X. Gastaldi, "Shake-Shake regularization", arXiv:1705.07485, 2017, sections 1, 2, 3.3.

    Parameters
    ----------
    forward : {"even", "shake"}
        α is ½, or uniform in [0, 1]. For k branches: 1/k, or uniform among what adds up to 1.
    backward : str
        β is ½ or 1/k (``"even"``), drawn like α but independently (``"shake"``), or α (``"keep"``).
        Or, for two branches, its name says where it lies, for α up to ½: uniform in [0, α]
        (``"end_to_alpha"``), [α, ½] (``"alpha_to_half"``), [½, 1 − α] (``"half_to_mirror"``) or
        [1 − α, 1] (``"mirror_to_end"``), or at 1 − α (``"mirror"``). Above ½, all is mirrored.
    level : {"image", "batch"}
        Whether each image of a batch has its own coefficients, or all share them.
    seed : int, optional
        Without it, Keras's global seed decides.
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

    def build(self, input_shape: Any) -> None:
        several = isinstance(input_shape[0], list | tuple) and len(input_shape) > 1
        if not several or any(shape != input_shape[0] for shape in input_shape):
            expected = "a list of two or more tensors of the same shape"
            raise ValueError(f"ShakeShake was given {input_shape}; expected {expected}.")
        if len(input_shape) > 2 and self.mode["backward"] in RULES:
            rule = f"backward={self.mode['backward']!r} is a rule for two branches"
            raise ValueError(f"{rule}, not {len(input_shape)}. Take 'even', 'shake' or 'keep'.")

    def call(self, branches: Any, training: bool = False) -> Any:
        """Mix a list of branches, tensors (n, …) of the same shape; return a tensor like them."""
        *others, last = branches
        if not training:
            return sum(others, start=last) * (1 / len(branches))
        drawn = self.coefficients(ops.shape(last)[0], branches=len(branches))
        shape = (-1, *(1 for _ in last.shape[1:]), 1 if len(branches) == 2 else len(branches))
        alpha, beta = (ops.reshape(ops.cast(each, last.dtype), shape) for each in drawn)
        mixed = last
        for number, branch in enumerate(others):  # add α · (branch − last); the gradient sees β
            a, b, difference = alpha[..., number], beta[..., number], branch - last
            mixed = mixed + b * difference + ops.stop_gradient((a - b) * difference)
        return mixed

    def coefficients(self, count: int, alpha: Any = None, branches: int = 2) -> tuple[Any, Any]:
        """Draw α, unless it is given, and β of a training step, for `count` images.

        Returns
        -------
        alpha, beta : tensor, (n,) or, for the level ``"batch"``, (1,)
            Of the first of two branches; for k > 2 branches, of all: (n, k) or (1, k).
        """
        rows = count if self.mode["level"] == "image" else 1
        shape = (rows,) if branches == 2 else (rows, branches)
        even = ops.full(shape, 1 / branches, dtype="float32")
        if alpha is None:
            alpha = self._draw(shape) if self.mode["forward"] == "shake" else even
        alpha, backward = ops.cast(alpha, "float32"), self.mode["backward"]
        if backward in ("keep", "even"):
            return alpha, alpha if backward == "keep" else even
        beta = self._draw(shape)
        if backward in RULES:
            low, high = RULES[backward](ops.minimum(alpha, 1 - alpha))
            beta = low + (high - low) * beta
            beta = ops.where(alpha <= 0.5, beta, 1 - beta)
        return alpha, beta

    def _draw(self, shape: tuple) -> Any:
        """Draw uniformly from [0, 1], or, for several columns, from what adds up to 1."""
        drawn = keras.random.uniform(shape, dtype="float32", seed=self.random)
        exponential = -ops.log1p(-drawn)  # shares of such a sum have the Dirichlet(1, …, 1)
        return drawn if len(shape) == 1 else exponential / ops.sum(exponential, 1, keepdims=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.mode, "seed": self.seed}
