from tests.demo.visitors import answerer, photo

from emotion.demo.answers import Answer, Answered, Choice
from emotion.demo.looks import from_jpeg
from emotion.demo.photos import Photo
from emotion.inference.predictions import Prediction


def answered(*levels: int, threshold: float | None = None) -> Answered:
    (found,) = answerer().answered([photo("a.png", *levels)], Choice(threshold=threshold))
    return found


def test_another_threshold_changes_predictions_faces_and_the_drawing() -> None:
    sure = answered(1, 3)
    unsure = sure.below(0.7)
    assert [face.prediction.answer for face in sure.faces] == ["anger", "smile"]
    assert [face.prediction.answer for face in unsure.faces] == ["unsure", "unsure"]
    assert [face.answer for face in unsure.predictions[0].faces] == ["unsure", "unsure"]
    assert unsure.drawn != sure.drawn
    assert unsure.shown == sure.shown
    assert unsure.drawn == answered(1, 3, threshold=0.7).drawn
    assert unsure.below(None) == sure


def test_the_drawing_is_of_the_photo() -> None:
    found = answered(2)
    assert from_jpeg(found.drawn).shape == (160, 240, 3)
    assert found.drawn != found.shown


def test_a_reason_comes_without_the_name_that_stands_beside_it() -> None:
    dropped = Photo("a.jpg", b"")
    failed = Answered.failed(dropped, "a.jpg: empty file")
    assert failed.reason == "empty file"
    assert failed.predictions[0].reason == "a.jpg: empty file"
    assert failed.below(0.5).drawn == b""
    assert answered().reason == "no face found"
    assert answered(1).reason is None


def test_a_video_that_ends_early_has_faces_and_a_reason() -> None:
    whole = answered(1)
    without = Prediction("a.png", (), "no face found", readable=True)
    cut = Prediction("a.png", (), "a.png: cut off", readable=False)
    files = [
        Answered(whole.photo, (*whole.predictions, end), whole.faces) for end in (without, cut)
    ]
    assert [file.reason for file in files] == [None, "cut off"]


def test_an_answer_counts_faces_and_its_weight() -> None:
    files = (answered(1, 3), answered(3), answered())
    answer = Answer(files, Choice(), ("anger", "smile"))
    assert answer.counts == {"smile": 2, "anger": 1}
    assert len(list(answer.predictions)) == 3
    assert answer.weight == sum(file.weight for file in files)
    assert files[0].weight > len(files[0].photo.content) + len(files[0].shown) + 2 * 64 * 64 * 3
