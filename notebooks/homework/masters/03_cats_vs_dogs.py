# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Homework 3. Cats and dogs, and a leak
#
# For [chapter 3](../03_cats_vs_dogs.ipynb). You read learning curves, choose an epoch without fooling
# yourself, and find out why a colleague's network is better than it can be.

# %%
import shutil
import tempfile
from pathlib import Path

from cnnkit import data

import numpy as np

# %% tags=["numbers"]
CLASSES = 5
MEASURED, LEAKED = 0.88, 0.3

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 1

# %% [markdown]
# ## 1. The loss of knowing nothing
#
# A network knows nothing and gives each of `CLASSES` classes the same probability. What is its cross-entropy
# on a photo? Write a formula with `CLASSES`.

# %% [raw]
# # BEGIN SOLUTION

# %%
loss_of_knowing_nothing = np.log(CLASSES)  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_loss(loss_of_knowing_nothing):
    import numpy as np

    loss = loss_of_knowing_nothing
    if loss is ...:
        return "Write a formula in place of the dots."
    if np.isclose(loss, np.log(CLASSES)):
        return None
    if np.isclose(loss, np.log(2)):
        return "That is the loss for two classes."
    if np.isclose(loss, -np.log(CLASSES)):
        return "A loss is not negative: -log(1/n) = log(n)."
    if np.isclose(loss, 1 / CLASSES):
        return "That is the probability; the loss is minus its logarithm."
    if np.isclose(loss, np.log2(CLASSES)) or np.isclose(loss, np.log10(CLASSES)):
        return "Keras takes the natural logarithm, np.log."
    return "The probability of the right class is one of CLASSES; take minus its logarithm."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 2

# %% [markdown]
# ## 2. When does overfitting begin?
#
# You decided beforehand to keep the network with the lowest validation loss. Write a function that says after
# how many epochs that was. Epochs are counted from 1.

# %%
curves = {
    "loss": [0.69, 0.66, 0.60, 0.52, 0.41, 0.29, 0.17, 0.09],
    "accuracy": [0.51, 0.60, 0.68, 0.75, 0.82, 0.89, 0.95, 0.98],
    "val_loss": [0.69, 0.67, 0.63, 0.58, 0.60, 0.66, 0.79, 0.98],
    "val_accuracy": [0.50, 0.58, 0.64, 0.69, 0.70, 0.71, 0.72, 0.71],
}

# %% [raw]
# # BEGIN SOLUTION

# %%
def best_epoch(curves):
    """Return the number of the epoch whose weights to keep."""
    return int(np.argmin(curves["val_loss"])) + 1  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_best_epoch(best_epoch):
    curves = {  # each wrong curve, counted from 0 or from 1, is best at a different epoch
        "loss": [0.70, 0.60, 0.50, 0.42, 0.35, 0.28, 0.20, 0.15, 0.12, 0.10],
        "accuracy": [0.50, 0.60, 0.68, 0.74, 0.80, 0.85, 0.90, 0.97, 0.96, 0.95],
        "val_loss": [0.80, 0.70, 0.62, 0.55, 0.58, 0.60, 0.64, 0.70, 0.75, 0.79],
        "val_accuracy": [0.50, 0.58, 0.64, 0.68, 0.70, 0.73, 0.72, 0.71, 0.71, 0.70],
    }
    got = best_epoch(curves)
    if got is None:
        return "The function returns nothing yet."
    if got in (7, 8, 9, 10):
        return "The training curves get better all the time, while the network memorises its photos."
    if got in (5, 6):
        return "You decided to keep the lowest validation loss, which need not be the best accuracy."
    if got == 3:
        return "Python counts from 0, the epochs of this question from 1."
    if got in (0, 1):
        return "A loss is best where it is lowest."
    if got != 4:
        return f"For a validation loss of {curves['val_loss']} it says {got}."
    if best_epoch({name: values[::-1] for name, values in curves.items()}) != 7:
        return "For the same curves from right to left it is not the seventh epoch."
    curves["val_loss"] = [0.8, 0.6, 0.7, 0.66, 0.5, 0.64, 0.55, 0.7, 0.6, 0.8]
    if best_epoch(curves) != 5:
        return "A curve may rise and fall several times: look for its lowest point of all."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 2

# %% [markdown]
# ## 3. An honest figure
#
# You trained with several settings, and have the validation and the test accuracy of each. Which test
# accuracy do you report?

# %% [raw]
# # BEGIN SOLUTION

# %%
def honest_accuracy(validation, test):
    """Return the figure to report; both lists have an accuracy for each setting."""
    return test[int(np.argmax(validation))]  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_honest(honest_accuracy):
    got = honest_accuracy([0.70, 0.82, 0.78], [0.75, 0.76, 0.81])
    if got is None:
        return "The function returns nothing yet."
    if got == 0.81:
        return "You chose by the test set, and the best of many is too good by luck."
    if got == 0.82:
        return "The validation set chose the setting, so its figure is too good; report the test set's."
    if got != 0.76:
        return "Choose by the validation accuracies, then report the test accuracy of that setting."
    probes = ([0.9, 0.6, 0.7], [0.5, 0.8, 0.7], 0.5), ([0.6, 0.9, 0.7], [0.3, 0.8, 0.9], 0.8)
    if any(honest_accuracy(validation, test) != right for validation, test, right in probes):
        return "For other figures it is not the test accuracy of the setting that validated best."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# ## A colleague's photos
#
# A colleague has photos of cats and dogs in `train` and `test`, and a network that is nearly always right on
# the test photos. Too nearly. Run the cell. It makes the folder as the colleague's script did.

# %% jupyter={"source_hidden": true}
folder = Path(tempfile.mkdtemp()) / "colleague"
data.drawings.write(folder / "train", ["cat", "dog"], per_class=40, seed=1)
data.drawings.write(folder / "test", ["cat", "dog"], per_class=20, seed=2)
chosen = np.random.default_rng(3).permutation(40)
for kind, numbers in (("cat", chosen[:7]), ("dog", chosen[7:12])):
    for position, number in enumerate(sorted(numbers)):
        photo = folder / "train" / kind / f"{kind}.{number}.jpg"
        shutil.copy(photo, folder / "test" / kind / f"{kind}.{20 + position}.jpg")
for part in ("train", "test"):
    print(part, {kind: len(list((folder / part / kind).glob("*.jpg"))) for kind in ("cat", "dog")})

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: [2, 2]

# %% [markdown]
# ## 4. Find the leak
#
# A test photo that is in the training set, too, tests nothing. Find all of them: write a function that
# returns the pairs (training file, test file) of one and the same photo.

# %% [raw]
# # BEGIN SOLUTION

# %%
def leaks(folder):
    """Return a list of pairs of paths."""
    # BEGIN SOLUTION
    known = {path.read_bytes(): path for path in (folder / "train").rglob("*.jpg")}
    test = sorted((folder / "test").rglob("*.jpg"))
    return [(known[path.read_bytes()], path) for path in test if path.read_bytes() in known]
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_leaks(folder, leaks):
    from pathlib import Path

    found = leaks(folder)
    if found is None:
        return "The function returns nothing yet."
    train = {path: path.read_bytes() for path in (folder / "train").rglob("*.jpg")}
    test = {path: path.read_bytes() for path in (folder / "test").rglob("*.jpg")}
    expected = sum(content in train.values() for content in test.values())
    found = [tuple(Path(path) for path in pair) for pair in found]
    if not found:
        return "You found none, and there are some."
    if not all(len(pair) == 2 for pair in found):
        return "Return pairs: [(training file, test file), …]."
    if not all(first in train and second in test for first, second in found):
        return "The first of each pair is a path below folder / 'train', the second below 'test'."
    if found and all(first.name == second.name for first, second in found):
        return "You compare names. Two photos may share a name, and a copy may have a new one: look inside."
    wrong = [second.name for first, second in found if train[first] != test[second]]
    if wrong:
        return f"These are not the photos that you say: {wrong[:3]}. Do their files hold the same bytes?"
    # PART
    if len(set(found)) < expected:
        return f"You found {len(set(found))} of {expected}. Did you look into both classes?"
    if len(found) > expected:
        return "Some pairs come twice."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 1

# %% [markdown]
# ## 5. How good is the network?
#
# The colleague measured an accuracy of `MEASURED`. A share of `LEAKED` of the test photos was in the training
# set, and all of these were right. How accurate is the network on photos it has not seen?

# %% [raw]
# # BEGIN SOLUTION

# %%
on_new_photos = (MEASURED - LEAKED) / (1 - LEAKED)  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_on_new_photos(on_new_photos):
    import numpy as np

    if on_new_photos is ...:
        return "Write a formula in place of the dots."
    if np.isclose(on_new_photos, MEASURED - LEAKED):
        return "These right answers are a share of all test photos: divide by the share of new ones."
    if np.isclose(on_new_photos, LEAKED + (1 - LEAKED) * MEASURED):
        return "You went the wrong way: MEASURED is what came out, with the leak."
    if not np.isclose(LEAKED + (1 - LEAKED) * on_new_photos, MEASURED):
        return "MEASURED is a mean: a share LEAKED at 1, and the rest at the accuracy you look for."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q6
# points: [2, 1]

# %% [markdown]
# ## 6. A split without leaks
#
# Photos that were taken of one animal in one minute are as good as copies. Each photo has a number for its
# animal. Choose test photos so that no animal is on both sides: draw animal after animal at random, until at
# least a share of `share` of the photos is for testing. The same seed gives the same split, another seed another.

# %% [raw]
# # BEGIN SOLUTION

# %%
def photos_for_testing(animals, share, seed):
    """Return an array of bool, True for the photos of the test set.

    animals has an integer for each photo.
    """
    # BEGIN SOLUTION
    test = np.zeros(len(animals), bool)
    for animal in np.random.default_rng(seed).permutation(np.unique(animals)):
        if test.mean() >= share:
            break
        test |= animals == animal
    return test
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_groups(photos_for_testing):
    import numpy as np

    animals = np.random.default_rng(5).integers(0, 60, 300)
    test = photos_for_testing(animals, 0.2, seed=0)
    if test is None:
        return "The function returns nothing yet."
    test = np.asarray(test)
    if test.shape != animals.shape or test.dtype != bool:
        return "Return an array of bool with an entry for each photo."
    both = np.intersect1d(animals[test], animals[~test])
    if len(both):
        return f"{len(both)} of 60 animals are on both sides: draw animals, not photos."
    for share, seed in ((share, seed) for share in (0.2, 0.35) for seed in range(10)):
        test = np.asarray(photos_for_testing(animals, share, seed=seed))
        if test.mean() < share:
            return f"{test.sum()} of {len(test)} photos are for testing, fewer than a share of {share}."
        if test.sum() - np.bincount(animals[test]).max() >= share * len(animals):
            return f"{test.sum()} of {len(test)} photos are for testing: for {share}, stop drawing earlier."
    # PART
    test = photos_for_testing(animals, 0.2, seed=0)
    if not np.array_equal(test, photos_for_testing(animals, 0.2, seed=0)):
        return "The same seed should give the same split."
    if np.array_equal(test, photos_for_testing(animals, 0.2, seed=1)):
        return "Another seed should give another split."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
