"""The command from its first moment, before Keras is there."""

import os
import signal
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-c", "import cnnkit_command; cnnkit_command.main()"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_during_the_import_is_told(here):
    """Also where what is imported swallows exceptions."""
    (here / "keras.py").write_text(
        "import time\nprint('importing', flush=True)\n"
        "try:\n    time.sleep(60)\nexcept BaseException:\n    pass\n"
    )
    before = os.pathsep.join([str(here), *sys.path])
    process = subprocess.Popen(
        [*COMMAND, "check", "photos"],
        env={**os.environ, "PYTHONPATH": before},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == "\nInterrupted.\n"
    assert process.returncode == 130


@pytest.mark.parametrize("debug", [False, True])
def test_a_backend_that_is_missing_is_told(debug):
    result = subprocess.run(
        [*COMMAND, *["--debug"] * debug, "check", "photos"],
        env={**os.environ, "KERAS_BACKEND": "abacus", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert ("Traceback" in result.stderr) == debug
    assert debug or result.stderr.startswith("Error: Keras cannot compute: ")
    assert debug or result.stderr.count("\n") == 1
