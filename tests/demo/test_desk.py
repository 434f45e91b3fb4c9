"""What a visitor gets: answers and how far they are, changes, closer looks; each their own."""

import threading
from collections.abc import Iterator
from pathlib import Path

from tests.demo.visitors import desk, film_of, model, photo

from emotion.demo.answers import Choice
from emotion.demo.desk import FORGOTTEN, Desk, Shown, slider_value


def last(shown: Iterator[Shown]) -> Shown:
    return list(shown)[-1]


def test_an_answer_comes_after_how_far_it_is() -> None:
    given = desk()
    photos = [photo(f"{number}.png", 1) for number in range(3)]
    shown = list(given.answer("page", photos, Choice()))
    said = [str(each.status) for each in shown]
    assert "Looking at 3 files …<" in said[0]
    assert ["1 done" in said[1], "2 done" in said[2]] == [True, True]
    assert "Done: 3 files, 3 faces found." in said[-1]
    assert [each.answer is None for each in shown] == [True, True, True, False]
    assert "em-empty" in str(shown[-1].face)  # the face looked at before is of other photos


def test_the_models_own_threshold_holds_until_the_slider_is_moved() -> None:
    given = desk(model("a", threshold=0.4137), model("b"))
    assert slider_value(given.answerer.models[0]) == 0.41
    assert given.choice(0, 1, 0.41) == Choice(0, 1, 0.4137)
    assert given.choice(0, 0, 0.42).threshold == 0.42
    assert given.choice(1, 0, 0.0).threshold is None
    assert given.choice(1, 0, 0.41).threshold == 0.41


def test_a_change_answers_the_same_photos_anew() -> None:
    given = desk(model("a"), model("b", threshold=0.9))
    list(given.answer("page", [photo("a.png", 3)], Choice()))
    shown = last(given.change("page", Choice(threshold=0.7)))
    assert "unsure (smile 60%)" in str(shown.answer)
    assert "em-fresh" not in str(shown.answer)
    assert "1 · smile 60%" in str(last(given.change("page", Choice())).answer)
    shown = last(given.change("page", Choice(1, 1, 0.9)))
    assert "Answered by b." in str(shown.answer)
    assert "unsure (smile 60%)" in str(shown.answer)
    assert given.sessions.of("page").answer is not None


def test_a_change_of_nothing_or_without_photos_does_nothing() -> None:
    given = desk()
    assert list(given.change("page", Choice(threshold=0.5))) == []
    list(given.answer("page", [photo("a.png", 3)], Choice()))
    assert list(given.change("page", Choice())) == []


def test_a_closer_look_is_at_the_face_that_was_asked_for(tmp_path: Path) -> None:
    given = desk()
    dropped = [photo("a.png", 1, 3), film_of(tmp_path / "b.mp4", "b.mp4", 4)]
    list(given.answer("page", dropped, Choice()))
    assert "smile 60%" in str(given.look("page", 0, 1).face)
    assert "Face 2 in a.png" in str(given.look("page", 0, 1).face)
    assert "sad 60%" in str(given.look("page", 1, 0).face)
    assert "Heat maps need a checkpoint" in str(given.look("page", 0, 0).face)


def test_a_look_at_what_is_not_there_says_so() -> None:
    given = desk()
    for page, file, face in (("page", 0, 0), ("other", 0, 0)):
        assert FORGOTTEN in str(given.look(page, file, face).status)
    list(given.answer("page", [photo("a.png", 1)], Choice()))
    for file, face in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        assert FORGOTTEN in str(given.look("page", file, face).status)


def test_visitors_never_get_anothers_answer() -> None:
    given = desk()
    asked = {"one": (1,), "two": (2, 3), "three": (4,)}
    threads = [
        threading.Thread(
            target=lambda page=page, levels=levels: list(
                given.answer(page, [photo(f"{page}.png", *levels)] * 3, Choice())
            )
        )
        for page, levels in asked.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for page, levels in asked.items():
        answer = given.sessions.of(page).answer
        assert answer is not None
        assert {file.photo.name for file in answer.files} == {f"{page}.png"}
        assert [len(file.faces) for file in answer.files] == [len(levels)] * 3


def test_a_change_waits_for_the_photos_that_are_being_answered() -> None:
    given = desk()
    list(given.answer("page", [photo("old.png", 1)], Choice()))
    running = given.answer("page", [photo("new.png", 3)] * 2, Choice())
    next(running), next(running)  # in the midst of it
    found: list[Shown] = []
    changing = threading.Thread(
        target=lambda: found.extend(given.change("page", Choice(threshold=0.7)))
    )
    changing.start()
    changing.join(0.2)
    assert changing.is_alive()
    list(running)
    changing.join(10)
    assert "new.png" in str(found[-1].answer)
    assert "unsure (smile 60%)" in str(found[-1].answer)


def test_photos_that_are_dropped_later_win() -> None:
    given = desk()
    older = given.answer("page", [photo("old.png", 1)] * 5, Choice())
    next(older), next(older)  # in the midst of it
    newer = given.answer("page", [photo("new.png", 3)], Choice())
    next(newer)
    assert list(older) == []
    assert "new.png" in str(last(newer).answer)
    late = given.answer("page", [photo("late.png", 1)], Choice())
    next(late)  # has not begun when the next are dropped
    newest = list(given.answer("page", [photo("newest.png", 1)], Choice()))
    assert "newest.png" in str(newest[-1].answer)
    assert list(late) == []


def test_a_change_gives_way_to_new_photos() -> None:
    given = desk()
    list(given.answer("page", [photo("old.png", 1)] * 5, Choice()))
    changing = given.change("page", Choice(upsample=1))
    next(changing), next(changing)
    newer = given.answer("page", [photo("new.png", 3)], Choice(upsample=1))
    next(newer)
    assert list(changing) == []
    assert "new.png" in str(last(newer).answer)


def test_an_answer_that_is_given_up_lets_the_next_begin() -> None:
    given = desk()
    running = given.answer("page", [photo("a.png", 1)] * 3, Choice())
    next(running), next(running)
    running.close()  # type: ignore[attr-defined]
    assert "Done" in str(last(given.answer("page", [photo("b.png", 1)], Choice())).status)


def test_a_page_that_is_closed_meanwhile_keeps_nothing() -> None:
    given: Desk = desk()
    running = given.answer("page", [photo("a.png", 1)] * 2, Choice())
    next(running), next(running)
    given.sessions.forget("page")
    list(running)
    assert given.sessions.of("page").answer is None


def test_a_page_that_is_ended_gives_its_answers_up_without_a_word() -> None:
    given = desk()
    running = given.answer("page", [photo("a.png", 1)], Choice())
    next(running)
    given.answerer.stopping.set()
    assert list(running) == []
    assert given.sessions.of("page").answer is None


def test_a_mistake_is_said() -> None:
    assert 'role="alert"' in str(desk().refuse("too much").status)
