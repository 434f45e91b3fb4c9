"""`emotion data check`: everything that is wrong with a data set, in one report."""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion.commands import DONE, PARTLY
from emotion.commands.data_options import add_reading, kinds, rules

if TYPE_CHECKING:
    from emotion.data.audit import Audit


def add(verbs: Any) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "check",
        help="find everything that is wrong with a data set",
        description="Reads every XML file and every picture, and lists every problem, by kind, with"
        " the way to mend it. The data set is never written to.",
        epilog="Exit codes: 0 clean, 1 problems, 2 could not run.",
    )
    add_reading(parser)
    add_option = parser.add_argument
    add_option("--out", type=Path, metavar="DIR", help="of the report (outputs/check/NAME)")
    add_option("--fix", type=Path, metavar="DIR", help="write a mended copy there")
    add_option(
        "--accept",
        type=kinds,
        default=(),
        metavar="KIND,…",
        help="known kinds; listed, still clean",
    )
    add_option("--min-face", type=int, metavar="PIXELS", help="smaller faces are a problem (24)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Checks; gives the exit code."""
    from dataclasses import replace

    from emotion.data.audit import audit
    from emotion.data.check_page import write_check_page
    from emotion.data.check_report import describe, make_report
    from emotion.data.cleaning import check_kinds
    from emotion.data.mending import check_target
    from emotion.faces.problems import KINDS
    from emotion.files import write_json

    check_kinds(options.accept, KINDS, "--accept")
    held = rules(options)
    if options.min_face is not None:
        held = replace(held, smallest=options.min_face)
    if options.fix:
        check_target(options.root, options.fix)
    found = audit(options.root, held)
    report = make_report(found, options.accept)
    out = options.out or Path("outputs/check") / report["root"]
    write_json(out / "check.json", report)
    write_check_page(out / "check.html", report, options.root)
    # Names of files need not be text; they are shown as well as they can be.
    print(describe(report, str(options.root)).encode("utf-8", "replace").decode())
    print(f"{out / 'check.html'}\n{out / 'check.json'}")
    if options.fix:
        _fix(found, options.fix, options.origin)
    return DONE if report["clean"] else PARTLY


def _fix(found: "Audit", target: Path, origin: int) -> None:
    from emotion.data.mending import write_mended
    from emotion.files import write_text

    done = write_mended(found, target, origin)
    listed = "".join(f"{problem.kind}: {problem} -> {what}\n" for problem, what in done)
    write_text(target / "mended.txt", listed)
    counts = Counter(problem.kind for problem, _ in done)
    print(
        f"\n{target}: a copy with {len(done)} problems mended; {target / 'mended.txt'} lists them"
    )
    for kind, count in counts.most_common():
        print(f"  {kind}: {count}")
    left = Counter(problem.kind for problem in found.problems) - counts
    if left:
        listed = ", ".join(f"{kind} {count}" for kind, count in left.most_common())
        print(f"  left, since mending would be a guess: {listed}")
