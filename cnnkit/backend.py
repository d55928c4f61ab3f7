"""What has to differ by Keras backend: TensorFlow, JAX or PyTorch."""

import keras


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
