"""What feeding photos costs: time against memory, and memory against their number (Linux)."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cnnkit import data, models, training

import numpy as np

BUDGET = 256 * 2**20
SIDE = 180


def epoch_ratios(pictures: int = 320, rounds: int = 5) -> list[float]:
    """Time an epoch from a folder against one from an array, in turns.

    Both train chapter 3's network at full size. The folder's photos wait in a file.
    """
    with tempfile.TemporaryDirectory() as directory:
        folder = data.drawings.write(Path(directory) / "drawn", ["cat", "dog"], pictures // 2, 0)
        dataset = data.image_folder(folder, (SIDE, SIDE), shuffle=True, seed=0, memory_budget=0)
        batches = [(np.asarray(images), np.asarray(labels)) for images, labels in dataset]
        images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
        model = models.cats_vs_dogs_cnn((SIDE, SIDE, 3))
        training.recipes.CATS_VS_DOGS.compile(model)

        def seconds(*inputs: object, **options: int) -> float:
            start = time.perf_counter()
            model.fit(*inputs, verbose=0, **options)
            return time.perf_counter() - start

        seconds(dataset)
        seconds(images, labels, batch_size=32)
        return [seconds(dataset) / seconds(images, labels, batch_size=32) for _ in range(rounds)]


def peak_memory(pictures: int) -> float:
    """Return the peak memory in bytes of a process that goes once through so many photos."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.photos", str(pictures)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout)


def high_water_mark() -> int:
    """Return this process's peak memory in bytes; that of `resource` begins with its parent's."""
    status = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
    return 1024 * int(peak)


def main(pictures: int) -> None:
    """Draw photos, load them in this process, go through them, and print its peak memory."""
    with tempfile.TemporaryDirectory() as directory:
        draw = (
            "import sys; from cnnkit import data;"
            "data.drawings.write(sys.argv[1], ['cat', 'dog'], int(sys.argv[2]), 0, size=64)"
        )
        folder = Path(directory) / "drawn"
        subprocess.run([sys.executable, "-c", draw, folder, str(pictures // 2)], check=True)
        dataset = data.image_folder(folder, (SIDE, SIDE), shuffle=True, memory_budget=BUDGET)
        assert sum(len(labels) for _, labels in dataset) == pictures
        print(high_water_mark())


def report() -> None:
    """Measure and print."""
    ratios = epoch_ratios()
    print(
        f"an epoch from a file against one from memory: {statistics.median(ratios):.3f}, median of"
    )
    print("  " + " ".join(f"{ratio:.3f}" for ratio in ratios))
    few, many = peak_memory(5_000), peak_memory(25_000)
    print(f"peak memory: 5,000 photos {few / 2**20:.0f} MiB, 25,000 photos {many / 2**20:.0f} MiB")
    print(f"  ratio {many / few:.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
