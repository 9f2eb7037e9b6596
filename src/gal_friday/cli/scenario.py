"""``gal-friday scenario``: small stories about two books, held against what comparing and explaining them finds.

Pure: nothing is asked, recorded or changed. The exit status is 0 where everything holds, 1 where something
does not, 2 for a file that is no scenario; then none of them is run.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from gal_friday.cli.exit_status import DISCREPANCIES, RECONCILED
from gal_friday.cli.files import read, title
from gal_friday.cli.options import AsJson, BadUsage
from gal_friday.cli.output import out, printable, write_json
from gal_friday.domain.scenario import Scenario, read_scenario
from gal_friday.domain.scenario_check import Answer, check
from gal_friday.domain.scenario_words import MalformedScenario

if TYPE_CHECKING:
    from rich.console import Console

Files = Annotated[str, Parameter(help="Scenario files; - is standard input.")]
Result = tuple[str, Scenario, tuple[Answer, ...]]


def scenario(*files: Files, as_json: AsJson = False) -> int:
    """Run scenario files: what each expects, and what was found instead where it does not hold."""
    if not files:
        raise BadUsage("name at least one scenario file")
    read_all = [(title(name), _scenario_in(name)) for name in files]
    results = [(name, one, check(one)) for name, one in read_all]
    if as_json:
        write_json(_document(results))
    else:
        _print(results, out())
    return RECONCILED if all(_holds(answers) for _, _, answers in results) else DISCREPANCIES


def _scenario_in(name: str) -> Scenario:
    try:
        text = read(name).decode()
    except UnicodeDecodeError:
        raise MalformedScenario(f"{title(name)} is not text in UTF-8; a scenario is a plain text file") from None
    return read_scenario(text, source=title(name))


def _holds(answers: Iterable[Answer]) -> bool:
    return all(answer.held for answer in answers)


def _document(results: Iterable[Result]) -> dict[str, Any]:
    scenarios = [
        {"file": name, "story": one.story, "holds": _holds(answers), "expectations": answers}
        for name, one, answers in results
    ]
    held = sum(bool(each["holds"]) for each in scenarios)
    return {"scenarios": scenarios, "count": len(scenarios), "held": held}


def _print(results: list[Result], console: "Console") -> None:
    for name, one, answers in results:
        holds = _holds(answers)
        console.print(f"{'holds' if holds else 'FAILS'}  {printable(name)}", style=None if holds else "red")
        if not holds:
            console.print(f"       {printable(one.story)}", style="dim")
        for line in _failures(answers):
            console.print(f"       {printable(line)}")
    held = sum(_holds(answers) for _, _, answers in results)
    console.print(f"{held} of {len(results)} scenarios hold")


def _failures(answers: Iterable[Answer]) -> Iterator[str]:
    for answer in answers:
        if not answer.held:
            yield f"line {answer.line}: {answer.expected}" if answer.line else answer.expected
            yield f"    found: {answer.found}"
