"""Who has which answer: never another's, and no longer than needed."""

from concurrent.futures import ThreadPoolExecutor

from emotion.demo.answers import Answer, Answered, Choice
from emotion.demo.photos import Photo
from emotion.demo.sessions import Sessions


def answer(name: str, size: int = 10) -> Answer:
    return Answer((Answered.failed(Photo(name, bytes(size)), "broken"),), Choice(), ())


def kept(sessions: Sessions, page: str, found: Answer) -> str:
    sessions.of(page)
    return sessions.keep(page, found)


def test_each_page_has_its_own_answer_and_a_new_one_voids_the_old() -> None:
    sessions = Sessions()
    first, second = answer("a"), answer("b")
    tokens = kept(sessions, "one", first), kept(sessions, "two", second)
    assert [sessions.find(token) for token in tokens] == [first, second]
    assert sessions.of("one").answer is first
    again = kept(sessions, "one", second)
    assert sessions.find(tokens[0]) is None
    assert sessions.find(again) is second


def test_tokens_are_long_and_no_page_has_an_empty_one() -> None:
    sessions = Sessions()
    assert len({kept(sessions, "one", answer("a")) for _ in range(50)}) == 50
    assert all(len(kept(sessions, "one", answer("a"))) >= 20 for _ in range(5))
    sessions.of("without")
    assert sessions.find("") is None
    assert sessions.find("ümlaut") is None


def test_a_page_that_was_closed_keeps_nothing() -> None:
    sessions = Sessions()
    token = kept(sessions, "one", answer("a"))
    sessions.forget("one")
    assert sessions.find(token) is None
    assert sessions.find(sessions.keep("one", answer("b"))) is None  # its answer came too late
    sessions.forget("one")


def test_the_page_that_was_used_least_lately_is_forgotten_first() -> None:
    sessions = Sessions(most=2)
    one, two = kept(sessions, "one", answer("a")), kept(sessions, "two", answer("b"))
    sessions.of("one")
    kept(sessions, "three", answer("c"))
    assert sessions.find(one) is not None
    assert sessions.find(two) is None


def test_bytes_are_bounded_but_the_newest_answer_is_kept() -> None:
    sessions = Sessions(most_bytes=1000)
    one, two = kept(sessions, "one", answer("a", 400)), kept(sessions, "two", answer("b", 400))
    assert sessions.find(one) is not None
    three = kept(sessions, "three", answer("c", 5000))
    assert [sessions.find(token) is not None for token in (one, two, three)] == [False, False, True]


def test_many_at_once_find_their_own() -> None:
    sessions = Sessions()

    def visit(number: int) -> bool:
        found = answer(str(number))
        token = kept(sessions, f"page {number % 8}", found)
        return sessions.find(token) in (found, None)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(visit, range(200)))
