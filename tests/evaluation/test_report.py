import csv

from cnnkit import evaluation

import keras
import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

# Six pictures, three classes. Predicted: 0 1 1 2 0 1, the surest mistake is picture 4.
LABELS = np.array([0, 0, 1, 2, 2, 2])
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.3, 0.4, 0.3],
        [0.1, 0.9, 0.0],
        [0.2, 0.2, 0.6],
        [0.7, 0.2, 0.1],
        [0.2, 0.5, 0.3],
    ]
)


def test_scores_match_scikit_learn_on_random_predictions():
    random = np.random.default_rng(0)
    labels, probabilities = random.integers(0, 10, 500), random.dirichlet(np.ones(10), 500)
    predicted = probabilities.argmax(axis=1)
    report = evaluation.report(labels, probabilities)
    assert report.accuracy == pytest.approx(accuracy_score(labels, predicted))
    matrix = evaluation.confusion(labels, probabilities)
    np.testing.assert_array_equal(matrix, confusion_matrix(labels, predicted))
    f1 = [scores.f1 for scores in report.classes]
    np.testing.assert_allclose(f1, f1_score(labels, predicted, average=None))
    for kind in ("macro", "weighted"):
        means = getattr(report, kind)
        expected = precision_recall_fscore_support(labels, predicted, average=kind)
        assert (means.precision, means.recall, means.f1) == pytest.approx(expected[:3])
        assert means.count == 500


def test_a_class_without_images_has_no_scores_and_no_share_in_the_means(recwarn):
    report = evaluation.report(np.array([0, 0, 1]), np.eye(3)[[0, 2, 1]])
    assert [scores.count for scores in report.classes] == [2, 1, 0]
    assert [report.classes[0].precision, report.classes[0].recall] == [1, 0.5]
    assert np.isnan([report.classes[2].precision, report.classes[2].recall]).all()
    assert (report.macro.precision, report.macro.recall) == (1, 0.75)
    assert report.macro.f1 == pytest.approx((2 / 3 + 1) / 2)
    assert report.accuracy == pytest.approx(2 / 3)
    assert str(report).splitlines()[3].split() == ["2", "–", "–", "–", "0"]
    never = evaluation.report(np.array([0, 1, 2]), np.eye(3)[[0, 0, 0]])  # predicted: 1 and 2
    assert never.macro.precision == pytest.approx((1 / 3 + 0 + 0) / 3)
    assert not recwarn.list


def test_the_printed_report_is_a_table():
    lines = str(evaluation.report(LABELS, PROBABILITIES, ["ant", "bee", "wild boar"])).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["ant", "0.500", "0.500", "0.500", "2"]
    assert lines[-1].split() == ["accuracy", "0.500", "6"]


def test_the_csv_holds_right_and_total_for_every_pair_of_classes(tmp_path):
    """All computed by hand; the last class never occurs."""
    probabilities = np.column_stack([PROBABILITIES, np.zeros(6)])
    report = evaluation.report(LABELS, probabilities, ["ant", "bee", "cat", "wild, boar"])
    report.to_csv(tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    pairs = ["as ant", "as bee", "as cat", "as wild, boar"]
    assert rows == [
        ["class", "precision", "recall", "f1", "pictures", *pairs],
        ["ant", "0.5000", "0.5000", "0.5000", "2", "1/2", "1/2", "0/2", "0/2"],
        ["bee", "0.3333", "1.0000", "0.5000", "1", "0/1", "1/1", "0/1", "0/1"],
        ["cat", "1.0000", "0.3333", "0.5000", "3", "1/3", "1/3", "1/3", "0/3"],
        ["wild, boar", "–", "–", "–", "0", "–", "–", "–", "–"],
        ["macro mean", "0.6111", "0.6111", "0.5000", "6"],
        ["weighted mean", "0.7222", "0.5000", "0.5000", "6"],
        ["accuracy", "0.5000", "", "", "6", "3/6"],
    ]  # fmt: skip


def test_worst_mistakes_come_surest_first():
    assert list(evaluation.worst_mistakes(LABELS, PROBABILITIES)) == [4, 5, 1]
    tensors = map(keras.ops.convert_to_tensor, (LABELS, PROBABILITIES))
    assert list(evaluation.worst_mistakes(*tensors, count=1)) == [4]


@pytest.mark.parametrize(
    "score", [evaluation.report, evaluation.confusion, evaluation.worst_mistakes]
)
@pytest.mark.parametrize(
    ("labels", "probabilities", "cure"),
    [
        ([0, 0, 1, 2, 2, 3], PROBABILITIES, "first is 3; with 3 classes, labels are 0 to 2"),
        ([0, 0, 1], PROBABILITIES, "each of the 6 images"),
        (
            LABELS,
            PROBABILITIES.argmax(axis=1),
            r"shape \(6,\); expected what evaluation.predict returns",
        ),
        (LABELS, PROBABILITIES * np.nan, "each row with a sum of 1"),
        (LABELS, np.log(PROBABILITIES + 1e-9), "each row with a sum of 1"),
        (LABELS, PROBABILITIES[:, :1], "is that of the second class"),
        ([], PROBABILITIES[:0], r"shape \(0, 3\)"),
    ],
)
def test_predictions_that_do_not_fit_their_labels_are_refused(score, labels, probabilities, cure):
    with pytest.raises(ValueError, match=cure):
        score(labels, probabilities)
    with pytest.raises(ValueError, match="2 class names were given for 3 classes"):
        evaluation.report(LABELS, PROBABILITIES, ["ant", "bee"])
