"""Which part of a file a browser asks for, so that one can move about in a video."""

import re


def part_of(header: str, size: int) -> range | None:
    """Reads the header "Range" (RFC 9110) as far as video players use it.

    Args:
        header: "bytes=0-", "bytes=100-199" or "bytes=-500"; anything else asks for all.
        size: of the file, in bytes.

    Returns:
        The bytes that are asked for; None for all.
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if found is None or not size:
        return None
    first, last = found.groups()
    if first:
        end = min(int(last) + 1, size) if last else size
        return range(int(first), end) if int(first) < end else None
    return range(max(size - int(last), 0), size) if last and int(last) else None
