"""What has to differ by Keras backend: TensorFlow, JAX or PyTorch."""

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


def enable_determinism() -> None:
    """Make the backend choose operations that give the same bits on every run.

    JAX needs no switch on a CPU. On a GPU, it reads
    ``XLA_FLAGS=--xla_gpu_deterministic_ops=true`` when the process starts.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    elif keras.backend.backend() == "torch":
        import torch

        torch.use_deterministic_algorithms(True)


def generator_states() -> list[np.ndarray]:
    """Return the states of the generators that no layer holds: PyTorch's, which dropout uses."""
    if keras.backend.backend() != "torch":
        return []
    import torch

    return [state.numpy() for state in (torch.get_rng_state(), *torch.cuda.get_rng_state_all())]


def set_generator_states(states: list[np.ndarray]) -> None:
    """Set the generators back to where `generator_states` found them."""
    if not states:
        return
    import torch

    first, *others = [torch.from_numpy(np.array(state)) for state in states]
    torch.set_rng_state(first)
    torch.cuda.set_rng_state_all(others[: torch.cuda.device_count()])


def gradients(function: Callable[..., Any], *inputs: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of a function of tensors with respect to each of its inputs.

    Parameters
    ----------
    function : callable
        Made of Keras layers and `keras.ops`; returns a scalar tensor.
    *inputs : ndarray of float32
        Where to take the gradients, which have their shapes, and are 0 where the function does not
        depend on them.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tensors = [tf.convert_to_tensor(x, "float32") for x in inputs]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        found = tape.gradient(value, tensors, unconnected_gradients="zero")
    elif keras.backend.backend() == "jax":
        import jax

        tensors = [jax.numpy.asarray(x, "float32") for x in inputs]
        with keras.StatelessScope():  # else what the layers assign would outlive the tracing
            found = jax.grad(function, argnums=tuple(range(len(inputs))))(*tensors)
    else:
        import torch

        tensors = [keras.ops.convert_to_tensor(x, "float32").requires_grad_() for x in inputs]
        found = torch.autograd.grad(function(*tensors), tensors, materialize_grads=True)
    return [keras.ops.convert_to_numpy(gradient) for gradient in found]


def fused_batch_norm(x: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any] | None:
    """Normalise maps (n, height, width, channels) in one operation: (y, mean, variance), or None.

    On TensorFlow, for float32; Keras takes a dozen operations, each of which goes through memory.
    """
    if keras.backend.backend() != "tensorflow" or len(x.shape) != 4 or x.dtype != "float32":
        return None
    import tensorflow as tf

    y, mean, unbiased = tf.compat.v1.nn.fused_batch_norm(
        x, tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta), epsilon=epsilon
    )
    count = tf.cast(tf.size(x) // tf.shape(x)[-1], "float32")
    return y, mean, unbiased * (count - 1) / count


def as_tf_dataset(batches: Any) -> "tf.data.Dataset":
    """Return `batches.Batches` as a tf.data set of known length, read two batches ahead.

    Each pass reads the epoch that they are in; the attribute ``batches`` keeps them.
    """
    import tensorflow as tf

    weak = weakref.ref(batches)  # TensorFlow keeps the function for good

    def generate() -> Iterator[Any]:
        batches = weak()
        if batches is None:
            raise RuntimeError("The data set was deleted while it was read.")
        yield from batches

    signature = tuple(
        tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in batches[len(batches) - 1]
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(2)
    # Now and then, closing a pipeline that tunes itself waits as long as an epoch takes.
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = dataset.with_options(options)
    dataset.batches = batches
    return dataset


def fast(dataset: Any) -> Any:
    """Return a data set as `fit` reads it best: on TensorFlow, a PyDataset by `as_tf_dataset`."""
    of_keras = isinstance(dataset, keras.utils.PyDataset)
    return (
        as_tf_dataset(dataset) if of_keras and keras.backend.backend() == "tensorflow" else dataset
    )


def join_processes() -> None:
    """Join the other processes of a job on JAX, whose addresses Keras reads from the environment."""
    import jax

    if hasattr(jax.config, "jax_enable_preemption_service"):  # it would swallow SIGTERM
        jax.config.update("jax_enable_preemption_service", False)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")  # JAX 0.5 has none unless asked
    keras.distribution.initialize()


def leave_processes() -> None:
    """Leave the job, after all have come here."""
    import jax

    from_first_process(np.int32(0))
    jax.distributed.shutdown()


def from_first_process(arrays: Any) -> Any:
    """Return the arrays that the first process gives; the others give such of the same shapes."""
    from jax.experimental import multihost_utils

    return multihost_utils.broadcast_one_to_all(arrays)


def on_all_devices(arrays: list[np.ndarray], mesh: Any) -> list[Any]:
    """Return the arrays of the first process as tensors on all devices of a mesh."""
    import jax
    from jax.experimental import multihost_utils

    whole = jax.sharding.PartitionSpec()
    arrays = from_first_process(arrays)
    return multihost_utils.host_local_array_to_global_array(arrays, mesh, whole)
