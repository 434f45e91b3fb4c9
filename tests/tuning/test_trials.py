import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from emotion.errors import EmotionError
from emotion.tuning.settings import read_settings
from emotion.tuning.trials import Claim, TrialStore

Opener = Callable[..., TrialStore]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Opens the same search again and again, as several workers do."""
    made: list[TrialStore] = []

    def make(*arguments: str, mode: str = "min", folder: str = "search") -> TrialStore:
        settings = read_settings(["tune=small", *arguments])
        made.append(TrialStore(tmp_path / folder, settings, mode))
        return made[-1]

    yield make
    for store in made:
        store.close()


def claim_of(store: TrialStore) -> Claim:
    claim = store.claim()
    assert claim is not None
    return claim


def test_a_spoilt_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("no database " * 100)
    with pytest.raises(EmotionError, match=r"study\.db: the search cannot be kept there \(file is"):
        TrialStore(tmp_path, read_settings([]), "min")


def test_claims_of_many_workers_are_exact(opened: Opener) -> None:
    stores = [opened("tune.trials=6") for _ in range(3)]
    held: list[list[Claim]] = [[] for _ in stores]
    begin = threading.Barrier(len(stores))

    def work(store: TrialStore, mine: list[Claim]) -> None:
        begin.wait()
        while (claim := store.claim()) is not None:
            mine.append(claim)  # and keeps it

    threads = [threading.Thread(target=work, args=pair) for pair in zip(stores, held, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claims = [claim for mine in held for claim in mine]
    assert sorted(claim.number for claim in claims) == list(range(6))
    assert not any(claim.continued for claim in claims)
    assert len(stores[0].trials()) == 6
    for claim in claims:
        claim.free()


def test_who_claims_next_takes_over_what_another_left(opened: Opener) -> None:
    first, second = opened("tune.trials=3"), opened("tune.trials=3")
    left, kept = claim_of(first), claim_of(first)
    left.report(0.75, 1)
    left.free()  # as the system does for a worker that is killed
    taken = claim_of(second)
    assert (taken.number, taken.values, taken.continued) == (0, left.values, True)
    assert taken.reported == {1: 0.75}
    new = claim_of(second)
    assert (new.number, new.continued, new.reported) == (2, False, {})
    assert second.claim() is None  # the one is held, and there are as many as are wanted
    for claim in (kept, taken, new):
        claim.free()


def test_a_worker_that_died_while_drawing_changes_no_values(opened: Opener) -> None:
    whole, broken = opened(folder="whole"), opened(folder="broken")
    expected = claim_of(whole)
    broken.study.ask()  # the trial is there, and nothing is drawn for it
    found = claim_of(broken)
    assert (found.number, found.continued) == (0, True)
    assert found.values == expected.values
    found.free()
    expected.free()


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_values_follow_from_the_seed_the_number_and_what_ended_before(
    opened: Opener, sampler: str
) -> None:
    def drawn(folder: str, seed: int, *workers: int) -> list[object]:
        """Lists the values of as many trials as each worker runs, one after the other."""
        settings = (f"tune.sampler={sampler}", f"tune.seed={seed}", "tune.trials=5")
        found: list[object] = []
        for count in workers:
            store = opened(*settings, folder=folder)
            for _ in range(count):
                claim = claim_of(store)
                claim.tell("finished", (claim.number * 7 % 5) / 5, {})
                claim.free()
                found.append(claim.values)
        return found

    one = drawn("one", 1, 5)
    assert drawn("again", 1, 2, 3) == one
    assert drawn("other", 2, 1)[0] != one[0]
    assert len({str(values) for values in one}) == 5


def test_how_trials_ended_is_kept(opened: Opener) -> None:
    store = opened("tune.trials=4")
    for outcome, score in (("finished", 0.5), ("pruned", None), ("failed", None)):
        claim = claim_of(store)
        claim.report(0.25, 1)
        claim.tell(outcome, score, {"reason": outcome, "log": None})  # type: ignore[arg-type]
        claim.free()
    running = claim_of(store)
    found = opened("tune.trials=4")
    states = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.RUNNING]
    assert [trial.state for trial in found.trials()] == states
    # Optuna gives a pruned trial the last score that was reported.
    assert [trial.value for trial in found.trials()] == [0.5, 0.25, None, None]
    assert [trial.user_attrs for trial in found.trials()[:2]] == [
        {"reason": "finished"}, {"reason": "pruned"},
    ]  # fmt: skip
    assert (found.ended(), found.failed()) == (3, 1)
    assert found.claim() is None
    assert [path.name for path in (found.folder / "locks").glob("[0-9]*")] == ["3.lock"]
    running.free()


@pytest.mark.parametrize(
    ("mode", "number"), [("min", 1), pytest.param("max", 3, marks=pytest.mark.slow)]
)
def test_the_best_is_the_first_of_equal_ones_that_finished(
    opened: Opener, mode: str, number: int
) -> None:
    store = opened("tune.trials=6", mode=mode)
    assert store.best() is None
    for score in (0.5, 0.25, 0.25, 0.75, 0.75):
        claim = claim_of(store)
        claim.tell("finished", score, {})
        claim.free()
    claim = claim_of(store)
    claim.report(0.0 if mode == "min" else 1.0, 1)
    claim.tell("pruned", None, {})
    claim.free()
    best = store.best()
    assert best is not None
    assert best.number == number


def test_the_pruner_waits_and_then_asks_for_the_median(opened: Opener) -> None:
    # After two trials, and two epochs of warm-up; scores of an epoch are number + epoch / 10.
    pruner = ("tune.pruner.startup_trials=2", "tune.pruner.warmup_epochs=2")
    store = opened("tune.trials=9", *pruner)
    verdicts = []
    for number in range(3):
        claim = claim_of(store)
        for epoch in range(1, 5):
            claim.report(number + epoch / 10, epoch)
            verdicts.append(claim.should_prune())
        claim.tell("finished", number, {})
        claim.free()
    assert verdicts == [False] * 4 + [False] * 4 + [False, False, True, True]
    never = claim_of(opened("tune.trials=9", "tune.pruner=null"))
    never.report(99.0, 4)
    assert not never.should_prune()
    never.free()


def test_each_range_is_drawn_as_it_says(opened: Opener) -> None:
    store = opened(
        "tune.trials=12",
        "tune.sampler=random",
        "tune.ranges={a: {low: 1e-4, high: 1.0, log: true}, b: {low: 0, high: 1, step: 0.25},"
        " c: {low: 2, high: 5}, d: {choices: [x, null, 3]}}",
    )
    claims = [claim_of(store) for _ in range(12)]
    a, b, c, d = ([claim.values[name] for claim in claims] for name in "abcd")
    assert all(isinstance(value, float) and 1e-4 <= value <= 1 for value in a)
    assert np.median(np.array(a, float)) < 0.3  # as many below 0.01 as above
    assert set(b) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert all(type(value) is int and 2 <= value <= 5 for value in c)
    assert set(d) <= {"x", None, 3}
    assert min(len(set(values)) for values in (a, b, c, d)) > 1
    for claim in claims:
        claim.free()


def test_errors_of_the_database_are_ours(opened: Opener) -> None:
    store = opened()
    text = r"study\.db: the search cannot be kept there \(disk I/O\); the same command goes on"
    with pytest.raises(EmotionError, match=text), store.guarded():
        raise optuna.exceptions.StorageInternalError("disk I/O\nmore")
