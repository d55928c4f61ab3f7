"""What has to differ by Keras backend: TensorFlow, JAX or PyTorch."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

NAME = keras.backend.backend()  # Keras has imported it already
if NAME == "tensorflow":
    import tensorflow as tf
elif NAME == "jax":
    import jax
elif NAME == "torch":
    import torch


def enable_determinism() -> None:
    """Ask for the same bits on every run. JAX has XLA_FLAGS=--xla_gpu_deterministic_ops=true."""
    if NAME == "tensorflow":
        tf.config.experimental.enable_op_determinism()
    elif NAME == "torch":
        torch.use_deterministic_algorithms(True)


def generator_states() -> list[np.ndarray]:
    """Return the states of the generators that no layer holds: PyTorch's, which dropout uses."""
    if NAME != "torch":
        return []
    return [state.numpy() for state in (torch.get_rng_state(), *torch.cuda.get_rng_state_all())]


def set_generator_states(states: list[np.ndarray]) -> None:
    """Set the generators back to where `generator_states` found them."""
    if states:
        first, *others = [torch.from_numpy(np.array(state)) for state in states]
        torch.set_rng_state(first)
        torch.cuda.set_rng_state_all(others[: torch.cuda.device_count()])


def gradients(function: Callable[..., Any], *inputs: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of a scalar function of tensors at float32 inputs, in their shapes."""
    tensors = [keras.ops.convert_to_tensor(x, "float32") for x in inputs]
    if NAME == "tensorflow":
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        found = tape.gradient(value, tensors, unconnected_gradients="zero")
    elif NAME == "jax":
        with keras.StatelessScope():  # else what the layers assign would outlive the tracing
            found = jax.grad(function, argnums=tuple(range(len(inputs))))(*tensors)
    else:
        tensors = [tensor.requires_grad_() for tensor in tensors]
        found = torch.autograd.grad(function(*tensors), tensors, materialize_grads=True)
    return [keras.ops.convert_to_numpy(gradient) for gradient in found]


@keras.saving.register_keras_serializable("cnnkit")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer; on TensorFlow in one operation, where a dozen would go through memory."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        fits = NAME == "tensorflow" and len(inputs.shape) == 4 and inputs.dtype == "float32"
        if not (fits and training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        scale, offset = map(tf.convert_to_tensor, (self.gamma, self.beta))
        fused = tf.compat.v1.nn.fused_batch_norm(inputs, scale, offset, epsilon=self.epsilon)
        count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], "float32")
        variance = fused[2] * (count - 1) / count  # of the batch, and no estimate
        for moving, now in ((self.moving_mean, fused[1]), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + now * (1.0 - self.momentum))
        return fused[0]


def as_tf_dataset(batches: Any) -> Any:
    """Return `batches.Batches`, which stay its attribute, as a tf.data set, read two ahead."""
    import tensorflow as tf

    weak = weakref.ref(batches)  # TensorFlow keeps the function for good
    last = batches[len(batches) - 1]  # which may be small
    signature = tuple(tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in last)
    dataset = tf.data.Dataset.from_generator(lambda: weak() or (), output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(2)
    options = tf.data.Options()
    options.autotune.enabled = False  # for which closing a pipeline may wait as long as an epoch
    dataset = dataset.with_options(options)
    dataset.batches = batches
    return dataset


def fast(dataset: Any) -> Any:
    """Return a data set as `fit` reads it best: on TensorFlow, a PyDataset by `as_tf_dataset`."""
    is_slow = NAME == "tensorflow" and isinstance(dataset, keras.utils.PyDataset)
    return as_tf_dataset(dataset) if is_slow else dataset


@contextmanager
def joined_processes() -> Iterator[None]:
    """Join the other processes of a job on JAX, which Keras finds by the environment."""
    if hasattr(jax.config, "jax_enable_preemption_service"):  # it would swallow SIGTERM
        jax.config.update("jax_enable_preemption_service", False)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")  # JAX 0.5 has none unless asked
    keras.distribution.initialize()
    yield
    from_first_process(np.int32(0))  # when all have come here
    jax.distributed.shutdown()


def from_first_process(arrays: Any, mesh: Any = None) -> Any:
    """Return the first process's arrays, on all devices of a mesh; the others give such shapes."""
    from jax.experimental import multihost_utils

    arrays = multihost_utils.broadcast_one_to_all(arrays)
    whole, spread = jax.sharding.PartitionSpec(), multihost_utils.host_local_array_to_global_array
    return arrays if mesh is None else spread(arrays, mesh, whole)
