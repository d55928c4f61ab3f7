"""What has to differ by Keras backend: TensorFlow, JAX or PyTorch."""

import json
import os
import signal
import time
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

MESSAGE = 2**16  # bytes
GRACE = 6  # seconds
_aborts: list[tuple[Any, Callable[[], Any]]] = []  # handlers, which C does not keep alive


def enable_determinism() -> None:
    """Make the backend choose operations that give the same bits on every run.

    TensorFlow and PyTorch have a switch for it. JAX needs none on a CPU; on a GPU it reads
    ``XLA_FLAGS=--xla_gpu_deterministic_ops=true`` when the process starts.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()
    elif backend == "torch":
        import torch

        torch.use_deterministic_algorithms(True)


def generator_states() -> list[np.ndarray]:
    """Return the states of the random number generators that no layer holds.

    On PyTorch, Keras's Dropout draws from them, those of the CPU and CUDA; on TensorFlow and JAX
    there are none.
    """
    if keras.backend.backend() != "torch":
        return []
    import torch

    states = [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]
    return [state.numpy() for state in states]


def set_generator_states(states: list[np.ndarray]) -> None:
    """Set the random number generators back to where `generator_states` found them."""
    if not states:
        return
    import torch

    first, *others = [torch.from_numpy(np.array(state)) for state in states]
    torch.set_rng_state(first)
    torch.cuda.set_rng_state_all(others[: torch.cuda.device_count()])


def gradients(function: Callable[..., Any], *inputs: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of a function with respect to each of its inputs.

    Parameters
    ----------
    function : callable
        Made of Keras layers and `keras.ops`; takes tensors, returns a scalar tensor.
    *inputs : ndarray
        Where to take the gradients; float32.

    Returns
    -------
    list of ndarray
        Each in the shape of its input; 0 where the function does not depend on it.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow

        tensors = [tensorflow.convert_to_tensor(x, "float32") for x in inputs]
        with tensorflow.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        found = tape.gradient(value, tensors, unconnected_gradients="zero")
    elif backend == "jax":
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
    """Normalise feature maps by their own mean and variance in one operation, if there is one.

    On TensorFlow, Keras normalises in a dozen operations, each of which goes through memory.

    Parameters
    ----------
    x : tensor, (n, height, width, channels)
    gamma, beta : tensor, (channels,)
    epsilon : float

    Returns
    -------
    y, mean, variance : tensor, or None
        None on other backends, and for other numbers than float32.
    """
    if keras.backend.backend() != "tensorflow" or len(x.shape) != 4 or x.dtype != "float32":
        return None
    import tensorflow as tf

    y, mean, unbiased = tf.compat.v1.nn.fused_batch_norm(
        x, tf.convert_to_tensor(gamma), tf.convert_to_tensor(beta), epsilon=epsilon
    )
    count = tf.cast(tf.size(x) // tf.shape(x)[-1], "float32")
    return y, mean, unbiased * (count - 1) / count


def untuned(dataset: "tf.data.Dataset") -> "tf.data.Dataset":
    """Turn off a pipeline's tuning of itself.

    To close one that tunes itself, TensorFlow wakes the thread that tunes and waits for its end.
    Now and then the thread misses the call and sleeps on, about as long as the epoch took.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def fast_batches(batches: Any) -> Any:
    """Return a PyDataset so that `fit` does not stall on it: on TensorFlow, `untuned`.

    Other data sets are returned as they are.
    """
    if keras.backend.backend() != "tensorflow" or not isinstance(batches, keras.utils.PyDataset):
        return batches
    import tensorflow as tf

    weak = weakref.ref(batches)  # TensorFlow keeps the function for good

    def generate() -> Iterator[Any]:
        batches = weak()
        if batches is None:
            raise RuntimeError("The batches were deleted while they were read.")
        for number in range(len(batches)):
            yield batches[number]

    dataset = tf.data.Dataset.from_generator(
        generate,
        output_signature=tuple(tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in batches[0]),
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    dataset = untuned(dataset.prefetch(2))
    dataset.batches = batches
    return dataset


def join_processes(lost: str) -> None:
    """Join the other processes of a job, whose addresses Keras reads from the environment.

    JAX alone can. When the first process has ended or one never comes, JAX aborts the others from
    outside Python. They get some seconds, in which what waits for the lost one raises an error;
    where nothing does, `lost` is written and the process ends with exit code 1.
    """
    import ctypes

    import jax

    def end(number: int) -> None:
        time.sleep(GRACE)
        os.write(2, f"{lost}\n".encode())
        os._exit(1)

    if hasattr(jax.config, "jax_enable_preemption_service"):  # it would swallow SIGTERM
        jax.config.update("jax_enable_preemption_service", False)
    if "JAX_CPU_COLLECTIVES_IMPLEMENTATION" not in os.environ:  # JAX 0.5 had none unless asked
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    if os.name == "posix":  # Python's own handlers do not run before the abort
        libc = ctypes.CDLL(None)
        libc.signal.restype, libc.signal.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p]
        handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(end)
        before = libc.signal(signal.SIGABRT, ctypes.cast(handler, ctypes.c_void_p))
        _aborts.append((handler, lambda: libc.signal(signal.SIGABRT, before)))
    keras.distribution.initialize()


def leave_processes() -> None:
    """Leave the job, after all have come here."""
    import jax
    from jax.experimental import multihost_utils

    multihost_utils.sync_global_devices("leaving")
    jax.distributed.shutdown()
    while _aborts:
        _, restore = _aborts.pop()
        restore()


def wait_for_processes() -> None:
    """Wait until all processes of the job have come here."""
    from jax.experimental import multihost_utils

    multihost_utils.sync_global_devices("waiting")


def from_first_process(value: Any) -> Any:
    """Return what the first process of the job gives, as JSON carries it; the others may give None.

    Raises
    ------
    ValueError
        It has more than 64 KiB.
    """
    from jax.experimental import multihost_utils

    text = json.dumps(value).encode()
    if len(text) > MESSAGE:
        raise ValueError(f"A message has {len(text):,} bytes; at most {MESSAGE:,} can be sent.")
    row = np.frombuffer(text.ljust(MESSAGE), "uint8")
    return json.loads(np.asarray(multihost_utils.broadcast_one_to_all(row), "uint8").tobytes())
