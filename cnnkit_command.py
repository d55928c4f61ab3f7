"""The command ``cnnkit`` from its first moment, before Keras, whose import takes seconds.

It stands outside of the package, since to import any part of that is to import Keras.
"""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType


def main() -> None:
    """Import the command line and call it; errors and Ctrl-C meanwhile end as they do in it."""
    # For cnnkit holds back what libraries write as they are imported.
    stderr = os.dup(2) if sys.stderr else 2
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def stop(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(stderr, b"\nInterrupted.\n")
        os._exit(130)  # an exception could be swallowed by what is just imported

    if interruptible:
        signal.signal(signal.SIGINT, stop)
    try:
        from cnnkit.cli import app
    except ImportError as error:
        if "--debug" in sys.argv:
            raise
        sys.exit(f"Error: {error}")
    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    app()
