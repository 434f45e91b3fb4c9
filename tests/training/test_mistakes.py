import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.training.mistakes import Mistake, WorstMistakes, caption


def worst_of(
    pixels: torch.Tensor, targets: torch.Tensor, logits: torch.Tensor, sizes: list[int], kept: int
) -> tuple[WorstMistakes, list[Mistake]]:
    worst = WorstMistakes(kept)
    for part in zip(*(torch.split(x, sizes) for x in (pixels, targets, logits)), strict=True):
        worst.update(*part)
    return worst, worst.read()


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 12), min_size=1, max_size=6),
    st.integers(1, 10),
)
def test_they_are_the_wrong_answers_of_highest_probability_in_order(
    seed: int, sizes: list[int], kept: int
) -> None:
    generator = np.random.default_rng(seed)
    n = sum(sizes)
    pixels = generator.integers(0, 256, (n, 3, 4, 4), dtype=np.uint8)
    targets, logits = generator.integers(0, 3, n), generator.normal(size=(n, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    answers = logits.argmax(axis=1)
    wrong = sorted((r for r in range(n) if answers[r] != targets[r]), key=lambda r: -max(shares[r]))
    worst, found = worst_of(
        torch.from_numpy(pixels), torch.from_numpy(targets), torch.from_numpy(logits), sizes, kept
    )
    assert worst.faces == n
    assert len(found) == min(kept, len(wrong))
    for mistake, row in zip(found, wrong, strict=False):
        np.testing.assert_array_equal(mistake.pixels, np.moveaxis(pixels[row], 0, 2))
        assert (mistake.truth, mistake.answer) == (targets[row], answers[row])
        np.testing.assert_allclose(mistake.probability, shares[row].max(), rtol=1e-5)


def test_nothing_seen_is_no_mistake() -> None:
    assert WorstMistakes(4).read() == []


def test_a_probability_that_is_no_number_is_not_shown() -> None:
    logits = torch.tensor([[float("nan"), 0.0], [0.0, 1.0]])
    pixels = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    _, found = worst_of(pixels, torch.tensor([1, 0]), logits, [1, 1], 2)
    assert [mistake.truth for mistake in found] == [0]


def test_of_a_whole_batch_only_what_is_kept_stays_in_memory() -> None:
    pixels = torch.zeros(50, 3, 64, 64, dtype=torch.uint8)
    worst = WorstMistakes(2)
    worst.update(pixels, torch.zeros(50, dtype=torch.int64), torch.randn(50, 3))
    assert worst._worst is not None
    assert all(len(v) == 2 for v in worst._worst.values())
    assert worst._worst["pixels"].untyped_storage().nbytes() == 2 * 3 * 64 * 64


def captioned(truth: str, answer: str) -> str:
    mistake = Mistake(np.zeros((1, 1, 3), np.uint8), 0, 1, 0.978)
    text = caption(mistake, [truth, answer], 20)
    assert all(len(line) <= 20 for line in text.split("\n"))
    return text


def test_a_caption_has_truth_answer_and_probability_and_fits() -> None:
    assert captioned("sad", "smile") == "sad → smile\n0.98"
    assert captioned("surprise", "neutral") == "surprise → neutral\n0.98"
    # Only what is long is cut.
    assert captioned("sad", "overwhelmingly happy") == "sad → overwhelmingl…\n0.98"
    assert captioned("overwhelmingly happy", "sad") == "overwhelmingl… → sad\n0.98"
    assert captioned("a" * 30, "b" * 30) == f"{'a' * 7}… → {'b' * 8}…\n0.98"
