"""The names of the emotions, and how the names in a data set become them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emotion.errors import ConfigError

# The original's five classes; the position of a name is its class index, 0 to 4.
EMOTIONS = ("neutral", "anger", "surprise", "smile", "sad")
DROPPED = "dropped"  # what a name means that stands for no class


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
            ValueError: the name is neither a class nor mapped; ask `knows` first.
        """
        # The mapping comes first, so that a class can be dropped or merged into another.
        target = self.mapping.get(name, name)
        return None if target is None else self.names.index(target)

    def drops(self, name: str) -> bool:
        """Tells whether faces of a name are left out."""
        return name in self.mapping and self.mapping[name] is None

    def knows(self, name: str) -> bool:
        """Tells whether a name is a class, mapped, or dropped."""
        return name in self.names or name in self.mapping

    def respelt(self, name: str) -> str | None:
        """Gives the known name that differs in case or spaces only, or None where there is none."""
        known = (*self.names, *self.mapping)
        return next((other for other in known if _loose(other) == _loose(name)), None)

    def meaning(self, name: str) -> str:
        """Gives the class of a name, "dropped", or the name itself where it is unknown."""
        known = name if self.knows(name) else self.respelt(name) or name
        target = self.mapping.get(known, known)
        return DROPPED if target is None else target


def _loose(name: str) -> str:
    return "".join(name.split()).casefold()


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
