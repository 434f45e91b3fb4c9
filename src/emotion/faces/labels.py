"""The names of the emotions, and how the names in a data set become them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from emotion.errors import ConfigError, DataError

# The original's five classes; the position of a name is its class index, 0 to 4.
EMOTIONS = ("neutral", "anger", "surprise", "smile", "sad")


@dataclass(frozen=True)
class LabelScheme:
    """Ordered class names, and what other names in the annotations stand for.

    Attributes:
        names: class names in the order of the logits.
        mapping: name in the annotations -> one of `names`, or None to drop such faces.
    """

    names: tuple[str, ...] = EMOTIONS
    mapping: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_names(self.names)
        # YAML and Hydra read the 1 of `{1: smile}` as a number; a name in XML is always text.
        mapping = {str(k): None if v is None else str(v) for k, v in self.mapping.items()}
        object.__setattr__(self, "mapping", mapping)
        wrong = sorted({v for v in mapping.values() if v is not None} - set(self.names))
        if wrong:
            raise ConfigError(
                f"data.label_map: expected its values to be among {', '.join(self.names)} or null,"
                f" got {', '.join(wrong)}"
            )

    def class_of(self, name: str) -> int | None:
        """Gives the class index of a name in the annotations, or None where its faces are dropped.

        Raises:
            ValueError: the name is neither a class nor mapped; ask `require_known` first.
        """
        # The mapping comes first, so that a class can be dropped or merged into another.
        target = self.mapping.get(name, name)
        return None if target is None else self.names.index(target)

    def require_known(self, found: Iterable[str], place: str) -> None:
        """Checks that every name is a class, mapped, or dropped.

        Raises:
            DataError: lists all unknown names at once, with the way out.
        """
        unknown = sorted(set(found) - set(self.names) - set(self.mapping))
        if unknown:
            listed = ", ".join(repr(name) for name in unknown)
            raise DataError(
                f"{place}: unknown label{'s' if len(unknown) > 1 else ''} {listed};"
                f" expected {', '.join(self.names)}. Map or drop them:"
                f" train 'data.label_map={{{unknown[0]}: {self.names[0]}}}' (null drops), or"
                f" evaluate --map '{unknown[0]}={self.names[0]}' (nothing after = drops)"
            )


def check_names(names: Sequence[str]) -> None:
    """Checks that class names can be told apart and that there are two or more.

    Raises:
        ConfigError: says which name is empty or twice there.
    """
    if len(names) < 2:
        raise ConfigError(f"input.labels: expected two names or more, got {list(names)}")
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise ConfigError(f"input.labels: expected names that are not empty, got {list(names)}")
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ConfigError(f"input.labels: expected each name once, got {', '.join(twice)} again")
