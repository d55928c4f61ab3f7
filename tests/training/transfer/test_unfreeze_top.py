from cnnkit import models, training

import keras
import pytest

from .conftest import classifier, small_base

unfreeze_top = training.transfer.unfreeze_top


def test_the_last_four_layers_of_vgg16():
    base = models.vgg16_base(None, (48, 48, 3), width=1 / 16)
    assert len(base.trainable_weights) == 26
    base.trainable = False
    assert len(base.trainable_weights) == 0
    unfreeze_top(base, 4)
    free = [layer.name for layer in base.layers if layer.trainable_weights]
    assert free == ["block5_conv1", "block5_conv2", "block5_conv3"]
    assert [layer.name for layer in base.layers if layer.trainable] == [*free, "block5_pool"]
    unfreeze_top(base, len(base.layers))
    assert len(base.trainable_weights) == 26
    unfreeze_top(base, 0)
    assert len(base.trainable_weights) == 0


def test_batch_normalization_stays_frozen():
    base = small_base("densenet")
    unfreeze_top(base, len(base.layers))
    norms = [la for la in base.layers if isinstance(la, keras.layers.BatchNormalization)]
    assert norms and not any(norm.trainable for norm in norms)
    assert len(base.trainable_weights) == sum(
        isinstance(layer, keras.layers.Conv2D) for layer in base.layers
    )


@pytest.mark.parametrize("count", [-1, 21, "block5_conv1"])
def test_a_count_out_of_range(count):
    with pytest.raises(ValueError, match=rf"count is {count!r}; expected 0 to 20"):
        unfreeze_top(small_base(), count)


def test_a_whole_model_is_no_base():
    with pytest.raises(ValueError, match=r"holds the model 'vgg16'.*model\.get_layer\('vgg16'\)"):
        unfreeze_top(classifier(), 4)
