"""From the photo to the name: small cases counted by hand, and sums against sklearn."""

from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics
from tests.evaluation.subject_maker import make_results, make_subject, rows

from emotion.evaluation.end_to_end import EndToEnd, score_end_to_end
from emotion.evaluation.observation import Find
from emotion.evaluation.subjects import Subject
from emotion.faces.boxes import Box
from emotion.faces.detectors import Detection

LABELS = ("neutral", "anger", "smile")
VALUES = (
    *("recall", "false_per_photo", "annotated", "annotated_found", "detected", "framing"),
    *("joint", "joint_balanced"),
)


def find(image: str, answer: int, face: int | None, ignored: bool = False) -> Find:
    row = rows([answer], len(LABELS))[0]
    detection = Detection(Box(0, 0, 10, 10), 1.0)
    return Find(Path(image), detection, row, face, 0.0 if face is None else 0.8, ignored)


def scored(subject: Subject, answers: list[int], finds: list[Find]) -> EndToEnd:
    results = make_results(subject, answers, LABELS)
    return score_end_to_end(subject, results, finds, subject.units(), "dlib", 0.5, failures=1)


def test_a_small_case_by_hand() -> None:
    # Four faces on three photos, and a photo without one. Found are three; one of these gets
    # another name on the detector's box, a wrong one. One false find, one that does not count.
    subject = make_subject([[0, 1], [2], [2], []])
    finds = [
        find("0.jpg", 0, 0),
        find("1.jpg", 1, 2),
        find("2.jpg", 2, 3),
        find("3.jpg", 0, None),
        find("3.jpg", 0, None, ignored=True),
    ]
    found = scored(subject, [0, 0, 2, 2], finds)
    values = {name: getattr(found, name).value for name in VALUES}
    assert values == pytest.approx(
        {
            "recall": 3 / 4,
            "false_per_photo": 1 / 4,
            "annotated": 3 / 4,
            "annotated_found": 1.0,
            "detected": 2 / 3,
            "framing": -1 / 3,
            "joint": 2 / 4,
            "joint_balanced": (1 + 0 + 1 / 2) / 3,
        }
    )
    assert (found.faces, found.photos, found.found, found.false_finds) == (4, 4, 3, 1)
    assert (found.ignored, found.failures) == (1, 1)
    assert found.changed == pytest.approx(1 / 3)
    assert found.iou == (0.8, 0.8, 0.8)


def test_many_faces_agree_with_sklearn() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 300)
    subject = make_subject([[int(a), int(b)] for a, b in targets.reshape(-1, 2)])
    answers = rng.integers(0, 3, 300)
    there = np.where(rng.random(300) < 0.7, targets, rng.integers(0, 3, 300))
    seen = rng.random(300) < 0.8
    finds = [find(f"{i // 2}.jpg", int(there[i]), i) for i in range(300) if seen[i]]
    found = scored(subject, answers.tolist(), finds)
    recalls = sklearn.metrics.recall_score(
        targets, np.where(seen, there, 3), labels=[0, 1, 2], average="macro"
    )
    expected = {
        "recall": seen.mean(),
        "annotated": sklearn.metrics.accuracy_score(targets, answers),
        "annotated_found": sklearn.metrics.accuracy_score(targets[seen], answers[seen]),
        "detected": sklearn.metrics.accuracy_score(targets[seen], there[seen]),
        "joint": (seen & (there == targets)).mean(),
        "joint_balanced": recalls,
    }
    for name, value in expected.items():
        interval = getattr(found, name)
        assert interval.value == pytest.approx(value), name
        assert interval.low < interval.value < interval.high
        assert interval.high - interval.low < 0.2
    assert found.framing is not None
    assert found.framing.value == pytest.approx(expected["detected"] - expected["annotated_found"])


def test_no_face_found_leaves_what_is_known() -> None:
    subject = make_subject([[0], [1], [2]])
    found = scored(subject, [0, 1, 1], [])
    assert found.recall is not None
    assert found.recall.value == found.recall.low == 0
    assert found.recall.high == pytest.approx(1 - 0.025 ** (1 / 3))
    assert found.joint is not None
    assert found.joint.value == 0
    assert (found.detected, found.annotated_found, found.framing, found.changed, found.iou) == (
        (None,) * 5
    )


def test_where_boxes_make_no_difference_the_loss_may_still_lie_on_both_sides() -> None:
    subject = make_subject([[0], [1], [2]] * 10)
    answers = [i % 3 for i in range(30)]
    found = scored(subject, answers, [find(f"{i}.jpg", i % 3, i) for i in range(30)])
    assert found.framing is not None
    assert (found.framing.value, found.changed) == (0, 0)
    assert -0.2 < found.framing.low < 0 < found.framing.high < 0.2


def test_persons_are_drawn_where_they_are_known() -> None:
    photos = [[i % 3] for i in range(60)]
    persons = {Path(f"{i}.jpg"): f"p{i // 6}" for i in range(60)}
    answers = [i % 3 if (i // 6) % 2 else 0 for i in range(60)]
    finds = [find(f"{i}.jpg", answers[i], i) for i in range(60)]
    by_photo = scored(make_subject(photos), answers, finds).joint
    by_person = scored(make_subject(photos, persons), answers, finds).joint
    assert by_photo is not None
    assert by_person is not None
    assert by_person.value == by_photo.value
    assert by_person.high - by_person.low > by_photo.high - by_photo.low


def test_it_is_plain_values_for_json() -> None:
    content = scored(make_subject([[0], [1]]), [0, 1], [find("0.jpg", 0, 0)]).to_dict()
    assert content["joint"].keys() == {"value", "low", "high"}
    assert content["detector"] == "dlib"
