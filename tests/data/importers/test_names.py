import random

from hypothesis import given
from hypothesis import strategies as st

from emotion.data.importers.names import LONGEST, unique_names
from emotion.faces.folders import same_name

# Few letters, so that names do collide.
PATHS = st.lists(st.text("aA/._-1é\x00", min_size=1, max_size=8).map(lambda t: t + ".png"))


def test_unique_names_stay_as_they_are() -> None:
    assert unique_names(["a/1.jpg", "b/Zoë (2).PNG"]) == ["1.jpg", "Zoë (2).PNG"]


def test_equal_names_get_their_folders_in_front() -> None:
    assert unique_names(["a/1.jpg", "b/1.jpg", "b/2.jpg"]) == ["a_1.jpg", "b_1.jpg", "2.jpg"]


def test_names_that_share_a_stem_would_share_an_xml_file() -> None:
    assert unique_names(["a/1.jpg", "a/b/1.png", "A/2.JPG"]) == ["a_1.jpg", "a_b_1.png", "2.JPG"]
    assert unique_names(["x/One.jpg", "y/one.jpg"]) == ["x_One.jpg", "y_one.jpg"]


def test_a_number_where_folders_are_not_enough() -> None:
    names = unique_names(["a/1.jpg", "a_1.jpg", "b/1.jpg", "a/1.jpg"])
    assert names == ["a_1-2.jpg", "a_1.jpg", "b_1.jpg", "a_1-3.jpg"]


def test_what_no_file_system_takes_is_replaced() -> None:
    assert unique_names(['a/.b:"c?.png']) == ["b__c_.png"]
    assert unique_names(["\udcff\x01.png"]) == ["__.png"]
    (name,) = unique_names(["ü" * 300 + ".png"])
    assert name == "ü" * (LONGEST // 2) + ".png"


@given(PATHS, st.randoms())
def test_names_are_unique_and_do_not_depend_on_the_order(
    paths: list[str], rng: random.Random
) -> None:
    paths = sorted(set(paths))
    names = unique_names(paths)
    stems = {same_name(name.removesuffix(".png")) for name in names}
    assert len(stems) == len(paths)
    assert all(not set(name) & set("/\\\x00") and not name.startswith(".") for name in names)
    shuffled = list(paths)
    rng.shuffle(shuffled)
    assert dict(zip(shuffled, unique_names(shuffled), strict=True)) == dict(
        zip(paths, names, strict=True)
    )
