"""One sentence on what a comparison shows, which claims no more than its numbers."""

from emotion.evaluation.comparison.comparison import Comparison
from emotion.evaluation.comparison.paired import Difference
from emotion.pages.texts import counted, readable

SIGNIFICANT = 0.05  # McNemar's p, as the intervals are those of 95 %


def verdict(
    comparison: Comparison, data: str, same_file: bool = False, warned: bool = False
) -> str:
    """Gives the sentence.

    One of the two is said to be right more often only where the intervals of accuracy and of
    balanced accuracy lie on one side of 0 and McNemar's test agrees. Otherwise the faces do not
    tell the two apart, whatever the sign of the difference.

    Args:
        comparison: of A and B.
        data: a short name of the photos.
        same_file: A and B are one checkpoint.
        warned: there is a reason why one of them knew some of the faces, or the people.
    """
    if same_file:
        return "A and B are the same file; there is nothing to compare."
    place = _place(comparison, readable(data, 60))
    if comparison.identical:
        return f"A and B give the very same probabilities on {place}; they may be one network."
    sides = _sides(comparison)
    new = ", which were not all new to both" if warned else ""
    if set(sides.values()) == {1}:
        return f"B names more faces rightly than A: {_numbers(comparison)}, on {place}{new}."
    if set(sides.values()) == {-1}:
        turned = _numbers(comparison, turned=True)
        return f"A names more faces rightly than B: {turned}, on {place}{new}."
    these, do = ("This", "does") if comparison.faces == 1 else ("These", "do")
    told = f"{these} {place} {do} not tell A and B apart"
    if comparison.same_answers == comparison.faces:
        told = f"{told}, since both give the same answers"
    return f"{told}: B − A is {_numbers(comparison)}{_disagreement(sides)}; {_reach(comparison)}."


def _place(comparison: Comparison, data: str) -> str:
    faces = counted(comparison.faces, "face")
    units = counted(comparison.units, comparison.unit)
    if comparison.unit == "photo":
        return f"{faces} in {units} of {data}"
    return f"{faces} of {units} in {data}"


def _sides(comparison: Comparison) -> dict[str, int]:
    """Tells whom each of the three speaks for: 1 for B, -1 for A, 0 for neither."""
    pairs = comparison.pairs
    more = 1 if pairs.only_b > pairs.only_a else -1
    return {
        "accuracy": comparison.scores["accuracy"].side,
        "balanced accuracy": comparison.scores["balanced_accuracy"].side,
        "McNemar's test": more if pairs.p < SIGNIFICANT else 0,
    }


def _disagreement(sides: dict[str, int]) -> str:
    if not any(sides.values()):
        return ""
    names = {1: "B", -1: "A", 0: "neither"}
    told = [f"{name} for {names[side]}" for name, side in sides.items()]
    return f"; {told[0].replace(' for ', ' speaks for ')}, {told[1]} and {told[2]}"


def _numbers(comparison: Comparison, turned: bool = False) -> str:
    scores, p = comparison.scores, comparison.pairs.p
    value, interval = _points(scores["accuracy"], turned)
    balanced, of_balanced = _points(scores["balanced_accuracy"], turned)
    return (
        f"{value} points of accuracy {interval}, {balanced} of balanced accuracy {of_balanced},"
        f" McNemar's {'p < 0.001' if p < 0.001 else f'p = {p:.3g}'}"
    )


def _reach(comparison: Comparison) -> str:
    accuracy = comparison.scores["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    half = 100 * (accuracy.high - accuracy.low) / 2
    return (
        f"the interval reaches about {half:.{_digits(half)}f} points to each side, and a"
        " smaller difference of accuracy would hardly show on them"
    )


def _points(difference: Difference, turned: bool) -> tuple[str, str]:
    """Gives B - A of a share, or A - B, in points, and its interval: "+1.6", "[−2.2, +5.4]"."""
    assert difference.low is not None
    assert difference.high is not None
    sign = -100 if turned else 100
    low, high = sorted((sign * difference.low, sign * difference.high))
    # An end that is not 0 must not look as if it were.
    digits = max(_digits(low), _digits(high)) if difference.side else 1
    ends = f"[{signed(low, digits)}, {signed(high, digits)}]"
    return signed(sign * difference.value, digits), ends


def _digits(number: float) -> int:
    return next((digits for digits in range(1, 6) if abs(number) >= 0.5 * 10**-digits), 1)


def signed(number: float, digits: int) -> str:
    """Gives a number with its sign, which 0 has not."""
    text = f"{number:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")
