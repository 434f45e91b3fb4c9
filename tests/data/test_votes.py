"""Votes of several raters: which column is which class, and what a table is refused for."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.data.votes import read_votes
from emotion.errors import DataError
from emotion.faces.labels import LabelScheme

TITLES = "filename,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
PHOTOS = ["train/img/a.png", "train/img/b.png"]


def table(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "votes.csv"
    path.write_text(text)
    return path


def refused(path: Path, photos: list[str] = PHOTOS) -> str:
    with pytest.raises(DataError) as caught:
        read_votes(str(path), photos, [path.parent], LabelScheme())
    return str(caught.value)


def test_ferplus_columns_become_the_five_classes_and_the_rest_is_left_out(tmp_path: Path) -> None:
    path = table(tmp_path, TITLES + "a.png,1,2,0,3,0,4,0,0,0,0\nb.png,0,0,0,0,0,9,1,0,0,0\n")
    found = read_votes(str(path), PHOTOS, [tmp_path], LabelScheme())
    assert list(found) == ["train/img/a.png"]  # nobody voted for a class at the other
    # neutral, anger, surprise, smile, sad
    np.testing.assert_allclose(found["train/img/a.png"], [1 / 6, 0, 0, 2 / 6, 3 / 6], rtol=1e-6)
    assert found["train/img/a.png"].dtype == np.float32


def test_a_table_in_each_part_speaks_of_that_part(tmp_path: Path) -> None:
    table(tmp_path / "train", TITLES + "a.png,1,0,0,0,0,0,0,0,0,0\n")
    table(tmp_path / "val", TITLES + "a.png,0,1,0,0,0,0,0,0,0,0\n")
    photos = ["train/img/a.png", "val/img/a.png"]
    places = [tmp_path, tmp_path / "train", tmp_path / "val"]
    found = read_votes("votes.csv", photos, places, LabelScheme())
    assert found["train/img/a.png"].argmax() == 0
    assert found["val/img/a.png"].argmax() == 3


def test_own_names_and_the_label_map_come_before_the_words_that_people_use(tmp_path: Path) -> None:
    path = table(tmp_path, "file;calm;happy\na.png;3;1\n")
    scheme = LabelScheme(("calm", "happy"), {"neutral": "calm"})
    found = read_votes(str(path), ["a.png"], [tmp_path], scheme)
    np.testing.assert_allclose(found["a.png"], [0.75, 0.25])


@given(votes=st.lists(st.integers(0, 10), min_size=10, max_size=10))
def test_shares_are_the_votes_for_the_classes_over_their_sum(
    votes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    five = np.array([votes[i] for i in (0, 4, 2, 1, 3)], float)
    folder = tmp_path_factory.mktemp("votes")
    line = f"a.png,{','.join(map(str, votes))}\nb.png,{',1' * 10}\n".replace(",,", ",")
    path = table(folder, TITLES + line)
    found = read_votes(str(path), PHOTOS, [folder], LabelScheme())
    assert ("train/img/a.png" in found) == bool(five.sum())
    if five.sum():
        np.testing.assert_allclose(found["train/img/a.png"], five / five.sum(), rtol=1e-6)


def test_what_a_table_is_refused_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.votes=absent.csv: no such file here"):
        read_votes("absent.csv", PHOTOS, [tmp_path], LabelScheme())
    told = refused(table(tmp_path, "filename,happy,fear\na.png,1,2\n"))
    assert "votes.csv:1: expected columns of two classes or more of neutral" in told
    told = refused(table(tmp_path, TITLES + "a.png,1,2\nb.png,-1,0,0,0,0,0,0,0,0,0\n"))
    assert "votes.csv:2: expected 11 cells, votes from 0 up" in told
    assert "votes.csv:3" in told
    told = refused(table(tmp_path, TITLES + "other.png,1,0,0,0,0,0,0,0,0,0\n"))
    assert "names none of the 2 photos" in told
