"""Texts from elsewhere, made fit for reading: nothing hidden, nothing endless."""

LIMIT = 300  # characters


def readable(text: object, limit: int = LIMIT) -> str:
    r"""Makes a text from a file show what is in it.

    Control characters, invisible ones and those that turn the direction of writing are named as
    Python names them (`\x00`, `\u202e`), so that a label with a hidden space looks like one. A
    text that is too long loses its middle: a path's end says as much as its beginning.

    Args:
        text: anything with a text.
        limit: characters that are left at most.
    """
    content = str(text)
    if len(content) > 2 * limit:  # the middle goes anyway; it need not be looked at
        content = content[:limit] + content[-limit:]
    shown = "".join(map(_visible, content))
    if len(shown) <= limit:
        return shown
    end = limit // 3
    return f"{shown[: limit - end - 1]}…{shown[len(shown) - end :]}"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Gives a number with its noun: "1 face", "1,688 faces"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
