"""Mixup: batches and losses worked out by hand, and draws that are what the paper says."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy, one_hot

from emotion.errors import ConfigError
from emotion.training.losses import TrainedLoss
from emotion.training.mixing import Mixing, Mixup

COUNTS = [700, 300, 200, 90, 10]
SHARES = st.floats(0.5, 1)


def drawn(alpha: float, size: int, key: tuple[int, int, int] = (0, 0, 0), seed: int = 0) -> Mixing:
    mixing = Mixup(alpha, seed).draw(size, *key)
    assert mixing is not None
    return mixing


def test_three_pictures_mixed_by_hand() -> None:
    pixels = torch.tensor([0, 100, 200], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 3, 2, 2)
    mixed = Mixing(0.75, torch.tensor([2, 0, 1])).mix(pixels)
    # 3/4 of 0 and 1/4 of 200; of 100 and 0; of 200 and 100
    assert mixed[:, 0, 0, 0].tolist() == [50, 75, 175]
    assert mixed.dtype == torch.float32
    assert mixed.shape == (3, 3, 2, 2)


@given(share=SHARES, seed=st.integers(0, 100))
def test_mixing_before_normalising_is_mixing_after_it(share: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (4, 3, 5, 5), dtype=np.uint8)
    partners = generator.permutation(4)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

    def normalised(values: NDArray[Any]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = (values / 255 - mean[:, None, None]) / std[:, None, None]
        return scaled

    own = normalised(pixels)
    mixed = Mixing(share, torch.from_numpy(partners)).mix(torch.from_numpy(pixels))
    np.testing.assert_allclose(
        normalised(mixed.numpy()), share * own + (1 - share) * own[partners], rtol=0, atol=1e-5
    )


@given(
    share=SHARES,
    n=st.integers(1, 20),
    smoothing=st.sampled_from([0.0, 0.1]),
    adjustment=st.sampled_from([0.0, 1.0]),
)
def test_the_mixed_loss_is_torchs_with_mixed_probabilities_for_targets(
    share: float, n: int, smoothing: float, adjustment: float
) -> None:
    generator = torch.Generator().manual_seed(n)
    logits = torch.randn(n, 5, generator=generator)
    targets = torch.randint(5, (n,), generator=generator)
    partners = torch.randperm(n, generator=generator)
    loss = TrainedLoss(5, "none", smoothing, adjustment)
    loss.set_class_counts(COUNTS)
    own = one_hot(targets, 5).float()
    soft = share * own + (1 - share) * own[partners]
    log_shares = (torch.tensor(COUNTS) / sum(COUNTS)).log()
    expected = cross_entropy(
        logits + adjustment * log_shares, soft, label_smoothing=smoothing, reduction="sum"
    )
    torch.testing.assert_close(Mixing(share, partners).loss(loss, logits, targets), expected)


@given(share=SHARES, n=st.integers(1, 20))
def test_mixed_classes_keep_their_weights(share: float, n: int) -> None:
    generator = torch.Generator().manual_seed(n)
    logits = torch.randn(n, 5, generator=generator)
    targets = torch.randint(5, (n,), generator=generator)
    partners = torch.randperm(n, generator=generator)
    loss = TrainedLoss(5, "balanced")
    loss.set_class_counts(COUNTS)
    own = one_hot(targets, 5).float()
    soft = share * own + (1 - share) * own[partners]
    # torch weighs each class of a mixed target, too.
    weight = torch.tensor([1300 / (5 * count) for count in COUNTS])
    expected = cross_entropy(logits, soft, weight=weight, reduction="sum")
    torch.testing.assert_close(Mixing(share, partners).loss(loss, logits, targets), expected)


def test_an_empty_share_of_a_batch_is_mixed_without_harm() -> None:
    mixing = drawn(0.4, 0)
    assert mixing.mix(torch.zeros(0, 3, 2, 2, dtype=torch.uint8)).shape == (0, 3, 2, 2)
    loss = mixing.loss(TrainedLoss(5), torch.zeros(0, 5), torch.zeros(0, dtype=torch.int64))
    assert float(loss) == 0


def test_off_draws_nothing() -> None:
    assert Mixup(0.0, 1).draw(8, 0, 0, 0) is None


@given(
    alpha=st.floats(1e-6, 100),
    size=st.integers(1, 60),
    epoch=st.integers(0, 99),
    rank=st.integers(0, 7),
)
def test_each_face_of_the_part_is_one_faces_partner_and_keeps_the_larger_share(
    alpha: float, size: int, epoch: int, rank: int
) -> None:
    mixing = drawn(alpha, size, (epoch, 3, rank))
    assert sorted(mixing.partners.tolist()) == [*range(size)]
    assert mixing.partners.dtype == torch.int64
    assert 0.5 <= mixing.share <= 1


def test_the_draw_depends_on_seed_epoch_batch_and_device_and_on_nothing_else() -> None:
    keys = [*product(range(2), range(3), range(3), range(3))]
    draws = []
    for step, (seed, *key) in enumerate(keys):
        torch.manual_seed(step)
        np.random.seed(step)
        mixing = drawn(0.4, 50, (key[0], key[1], key[2]), seed)
        draws.append((mixing.share, tuple(mixing.partners.tolist())))
    again = [drawn(0.4, 50, (e, b, d), s) for s, e, b, d in reversed(keys)]
    assert draws == [(m.share, tuple(m.partners.tolist())) for m in reversed(again)]
    assert len({share for share, _ in draws}) == len({order for _, order in draws}) == len(keys)


def test_torchs_generator_is_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    drawn(0.4, 50)
    assert torch.equal(torch.get_rng_state(), before)


def test_shares_and_orders_are_not_those_of_the_other_draws_of_a_run() -> None:
    # numpy takes a key of two words for the same key with zeros after it.
    sampler = np.random.default_rng([7, 0])
    share = sampler.beta(0.4, 0.4)
    assert drawn(0.4, 50, seed=7).share != max(share, 1 - share)


# The means of max(x, 1 - x) for Beta(alpha, alpha): 1/2 + E|x - 1/2|, integrated by hand.
@pytest.mark.parametrize(("alpha", "mean"), [(1.0, 0.75), (2.0, 0.6875)])
def test_shares_are_the_larger_part_of_a_beta_distribution(alpha: float, mean: float) -> None:
    shares = np.array([drawn(alpha, 1, (0, batch, 0)).share for batch in range(4000)])
    # Five standard errors; the shares lie within half a unit, so their deviation is below 1/4.
    assert abs(shares.mean() - mean) < 5 * shares.std() / np.sqrt(len(shares))


def test_with_alpha_1_all_shares_are_equally_likely() -> None:
    shares = np.sort([drawn(1.0, 1, (0, batch, 0)).share for batch in range(4000)])
    expected = np.linspace(0.5, 1, len(shares))
    # Kolmogorov and Smirnov: 1.95 / sqrt(n) is passed once in a thousand times.
    assert 2 * np.abs(shares - expected).max() < 1.95 / np.sqrt(len(shares))


def test_a_smaller_alpha_mixes_less() -> None:
    means = [
        np.mean([drawn(alpha, 1, (0, batch, 0)).share for batch in range(500)])
        for alpha in (0.1, 0.4, 2.0, 50.0)
    ]
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.9
    assert means[-1] < 0.6


@pytest.mark.parametrize("alpha", [-0.1, 101, float("nan"), float("inf"), True, "a", None])
def test_an_alpha_out_of_range_is_refused(alpha: float) -> None:
    text = r"^model\.mixup: expected 0 \(off\) to 100, the alpha of a Beta .* such as 0\.2; got "
    with pytest.raises(ConfigError, match=text + str(alpha).replace(".", r"\.")):
        Mixup(alpha, 0)


@pytest.mark.parametrize("seed", [-1, 0.5, None, "a"])
def test_a_seed_that_is_none_is_refused(seed: int) -> None:
    with pytest.raises(ConfigError, match=r"^model\.seed: expected a whole number from 0, got "):
        Mixup(0.2, seed)
