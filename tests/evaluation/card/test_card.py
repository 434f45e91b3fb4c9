"""Model cards, read back by a Markdown library and a YAML library."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt
from tests.evaluation.card.card_content import content, write_evaluation

from emotion.data.split_file import FrozenSplit, SplitEntry, write_split
from emotion.errors import CheckpointError
from emotion.evaluation.card.card import (
    CardModel,
    Statements,
    find_evaluations,
    hash_file,
    make_card,
    read_origin,
)
from emotion.evaluation.card.scores import read_evaluation
from emotion.faces.inputs import InputSpec

READER = MarkdownIt("commonmark").enable("table")
HOSTILE = ["a|b", "<script>x</script>", "`code`", "# head", "[l](http://x)", "---", "**b**", "$x$"]


def write_run(folder: Path, labels: list[str]) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    checkpoint = folder / "checkpoints" / "epoch_002.ckpt"
    checkpoint.write_bytes(b"weights")
    config = {
        "data": {"root": "/home/somebody/photos/faces5", "augmentation": []},
        "model": {"weights": "/home/somebody/weights/start.pth", "dropout": 0.2},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    faces = {"train": dict.fromkeys(labels, 7), "val": dict.fromkeys(labels, 3)}
    entries = {
        f"{part}/{i}.xml": SplitEntry(f"{part}/{i}.jpg", "ef" * 32, part)
        for part in faces
        for i in range(5 if part == "train" else 2)
    }
    write_split(folder / "split.json", FrozenSplit(entries, {"seed": 1}, faces))
    return checkpoint


def model_of(checkpoint: Path, labels: list[str], temperature: float = 1.0) -> CardModel:
    spec = InputSpec(labels=tuple(labels))
    return CardModel(checkpoint, "mobilenet_v2", 2, temperature, spec)


def card_of(folder: Path, labels: list[str], **changed: Any) -> str:
    checkpoint = write_run(folder, labels)
    found = content(hash_file(checkpoint), labels[-1]) | changed
    evaluation = read_evaluation(write_evaluation(folder / "evaluation-x", found))
    return make_card(model_of(checkpoint, labels, 1.5), [evaluation], Statements())


def body(card: str) -> str:
    return card.split("\n---\n", 1)[1]


def shape(card: str) -> list[tuple[str, str]]:
    """The structure of the text, whatever it says."""
    return [(token.type, token.tag) for token in READER.parse(body(card))]


def links(card: str) -> int:
    tokens = [t for token in READER.parse(body(card)) for t in token.children or []]
    return sum(token.type in ("link_open", "html_inline", "image") for token in tokens)


def test_a_card_tells_what_was_found(tmp_path: Path) -> None:
    card = card_of(tmp_path / "my-run", ["smile", "sad"])
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["model-index"][0]["name"] == "my-run"
    page = READER.render(body(card))
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))
    for part in (
        *("one of smile, sad.", "epoch_002.ckpt, epoch 2", "the weights in start.pth"),
        *(hash_file(tmp_path / "my-run/split.json"), "training 5 7 7 14", "validation 2 3 3 6"),
        *("accuracy 0.700 (0.640 to 0.750)", "balanced accuracy 0.660 (0.600 to 0.710)"),
        *("sad 12 – 0.400 (0.340 to 0.450) –", "found and named rightly, all faces 0.600"),
        *("log loss (nats) 0.900", "large 90 0.600", "clearly worse", "too few to judge"),
        *("Warning: 3 of these faces were in training.", "looked at 1 time before"),
        *("Article 5(1)(f)", "2 February 2025", "Hiring", "Schools", "Policing"),
        *("few faces were tested of sad (12).", "with a temperature of 1.500"),
        *("not stated; say it with --licence-of-weights", "not stated; say it with --data-licence"),
    ):
        assert part in re.sub("</?strong>", "", text).replace(" :", ":"), part
    assert "somebody" not in card
    assert "/home" not in card
    assert links(card) == 1  # to the regulation


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_names_are_nothing_but_text(tmp_path: Path, label: str) -> None:
    harmless = card_of(tmp_path / "a", ["smile", "sad"])
    card = card_of(tmp_path / "b", ["smile", label])
    assert shape(card) == shape(harmless)
    assert links(card) == 1
    assert set(yaml.safe_load(card.split("---\n")[1])) == set(
        yaml.safe_load(harmless.split("---\n")[1])
    )


def test_hostile_texts_of_an_evaluation_are_nothing_but_text(tmp_path: Path) -> None:
    harmless = card_of(tmp_path / "a", ["smile", "sad"])
    checkpoint = write_run(tmp_path / "b", ["smile", "sad"])
    text = "x\n\n---\n# h | `y` <img src=x> [l](http://x)\r\n"
    found = content(hash_file(checkpoint), text)
    found["about"] |= {"data": f"/home/{text.replace('/', ':')}", "warnings": [text], "date": text}
    evaluation = read_evaluation(write_evaluation(tmp_path / "evaluation", found))
    statements = Statements(text, text, text)
    card = make_card(model_of(checkpoint, ["smile", "sad"], 1.5), [evaluation], statements)
    assert links(card) == 1
    kinds = ("heading_open", "td_open", "th_open", "hr", "html_block", "fence", "list_item_open")
    for kind in kinds:
        assert sum(k == kind for k, _ in shape(card)) == sum(k == kind for k, _ in shape(harmless))


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    missing = dict.fromkeys(("end_to_end", "calibration", "slices", "classes"))
    card = card_of(tmp_path / "run", ["smile", "sad"], **missing)
    assert "nothing is known here of what that costs" in card
    assert "do not take its probabilities at their word" in card
    assert card.count("Not measured") == 3


def test_a_lone_checkpoint_has_a_card_that_says_so(tmp_path: Path) -> None:
    checkpoint = tmp_path / "lone.ckpt"
    checkpoint.write_bytes(b"x")
    card = make_card(model_of(checkpoint, ["a", "b"]), [], Statements(name="Mine"))
    assert "**Not evaluated.**" in card
    assert "no run folder that tells what it was trained on" in card
    assert "| Started from | not known |" in card
    assert "model-index" not in card
    assert "\n# Mine\n" in card


def test_licences_are_as_stated(tmp_path: Path) -> None:
    checkpoint = tmp_path / "lone.ckpt"
    checkpoint.write_bytes(b"x")
    statements = Statements("m", "apache-2.0", "only for research")
    card = make_card(model_of(checkpoint, ["a", "b"]), [], statements)
    assert "license: apache-2.0" in card
    assert "- Weights: apache-2.0\n" in card
    assert "- Data: only for research\n" in card


def test_an_evaluation_of_another_checkpoint_is_refused(tmp_path: Path) -> None:
    checkpoint = write_run(tmp_path, ["smile", "sad"])
    evaluation = read_evaluation(write_evaluation(tmp_path / "evaluation-x", content()))
    with pytest.raises(CheckpointError, match="another checkpoint, or of this one before it was"):
        make_card(model_of(checkpoint, ["smile", "sad"]), [evaluation], Statements())


def test_evaluations_in_the_run_folder_are_found(tmp_path: Path) -> None:
    checkpoint = write_run(tmp_path, ["smile", "sad"])
    write_evaluation(tmp_path / "evaluation-b", content(hash_file(checkpoint)))
    write_evaluation(tmp_path / "evaluation-a", content(hash_file(checkpoint)) | {"faces": 7})
    write_evaluation(tmp_path / "evaluation-old", content())
    write_evaluation(tmp_path / "evaluation-damaged", {"format": 9})
    found, left_out = find_evaluations(checkpoint)
    assert [evaluation.faces for evaluation in found] == [7, 112]
    assert len(left_out) == 2
    with pytest.raises(CheckpointError, match="cannot be read"):
        find_evaluations(tmp_path / "none.ckpt")


@pytest.mark.parametrize(("weights", "started"), [(None, ""), ("imagenet", "imagenet")])
def test_what_training_started_from_is_told(
    tmp_path: Path, weights: str | None, started: str
) -> None:
    write_run(tmp_path, ["a", "b"])
    config = {"data": {"root": "."}, "model": {"weights": weights}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    origin = read_origin(tmp_path, 2)
    assert (origin.started, origin.data) == (started, "data")
    (tmp_path / "config.yaml").write_text("[]")
    assert read_origin(tmp_path, 2).started is None


def test_a_run_of_a_sweep_is_called_after_the_sweep_too(tmp_path: Path) -> None:
    checkpoint = write_run(tmp_path / "lr" / "3", ["a", "b"])
    assert "\n# lr-3\n" in make_card(model_of(checkpoint, ["a", "b"]), [], Statements())
