"""Reading text and CSV files of a source, line by line, with bounds on what a line may hold."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from emotion.data.importers.photos import LayoutError
from emotion.data.importers.trees import SourceTree, UnusableError, explained
from emotion.errors import DataError

LONGEST = 1_000_000  # characters of a line; 48 x 48 pixels as numbers are 9,000
DELIMITERS = ",;\t"


def read_lines(tree: SourceTree, name: str) -> Iterator[str]:
    """Yields the lines of a UTF-8 text file.

    Raises:
        DataError: the file cannot be read, is no UTF-8 text, or a line is far too long.
    """
    try:
        with explained(), tree.open(name) as binary:
            stream = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
            while line := stream.readline(LONGEST):
                if len(line) == LONGEST:
                    raise DataError(f"{name}: has a line of more than {LONGEST:,} characters")
                yield line
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: is no UTF-8 text ({error.reason}); save it as UTF-8") from error
    except UnusableError as error:
        raise DataError(f"{name}: {error}") from error


def read_rows(tree: SourceTree, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yields line number, from 1, and fields of each row of a CSV file; empty rows are left out.

    Raises:
        DataError: the file cannot be read, or is no CSV.
    """
    lines = read_lines(tree, name)
    first = next(lines, "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(_chain(first, lines), delimiter=delimiter)
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, [field.strip() for field in row]
    except csv.Error as error:
        raise DataError(f"{name}:{reader.line_num}: is no CSV ({error})") from error


def _chain(first: str, lines: Iterable[str]) -> Iterator[str]:
    yield first
    yield from lines


class Table:
    """A CSV file with a header.

    Args:
        tree: the source.
        name: of the file.

    Attributes:
        columns: names in the header, in lower case, outer spaces removed.
    """

    def __init__(self, tree: SourceTree, name: str) -> None:
        self.name = name
        self._rows = read_rows(tree, name)
        _, header = next(self._rows, (1, []))
        self.columns = [column.casefold() for column in header]

    def __iter__(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yields place, as "file:line", and fields by column; fields that a row lacks are ""."""
        for line, row in self._rows:
            padded = [*row, *[""] * (len(self.columns) - len(row))]
            yield f"{self.name}:{line}", dict(zip(self.columns, padded, strict=False))

    def column(self, *names: str) -> str | None:
        """Gives the first of some names that is a column."""
        return next((name for name in names if name in self.columns), None)

    def require(self, columns: Sequence[str]) -> None:
        """Checks that all of some columns are there.

        Raises:
            LayoutError: names those that are not.
        """
        missing = [column for column in columns if column not in self.columns]
        if missing:
            raise LayoutError(
                f"{self.name}: expected the columns {', '.join(columns)}; there is no"
                f" {', '.join(missing)}, but {', '.join(self.columns[:12]) or 'nothing'}"
            )
