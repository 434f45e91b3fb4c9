"""Settings as they are typed, key=value: spelling a value so that Hydra reads it back, joining."""

import re
from collections.abc import Sequence

Value = bool | int | float | str | None
_PLAIN = re.compile(r"[A-Za-z_/][\w./-]*", re.ASCII)
_WORDS = ("null", "true", "false", "inf", "nan", "yes", "no", "on", "off")


def assign(key: str, value: Value) -> str:
    """Gives the override that sets a key to a value, whatever is in it."""
    return f"{key}={_spelt(value)}"


def _spelt(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    # In Hydra's grammar a backslash escapes only where a quote follows; elsewhere it is itself.
    escaped = re.sub(
        r"(\\*)('|\Z)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value
    )
    return f"'{escaped}'"


def merged(earlier: Sequence[str], later: Sequence[str]) -> list[str]:
    """Joins overrides; where both name a key, the later one counts."""
    named = {_key(item) for item in later}
    return [item for item in earlier if _key(item) not in named] + list(later)


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")
