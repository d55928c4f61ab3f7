"""Batch normalisation in one operation where the backend has it."""

from typing import Any

from cnnkit import backend

import keras


@keras.saving.register_keras_serializable("cnnkit")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, whose training is faster where the backend has one operation for it."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        fused = None
        if training and self.trainable:
            fused = backend.fused_batch_norm(inputs, self.gamma, self.beta, self.epsilon)
        if fused is None:
            return super().call(inputs, training=training, mask=mask)
        y, mean, variance = fused
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + now * (1.0 - self.momentum))
        return y
