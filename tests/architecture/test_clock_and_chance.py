"""Time comes from one adapter and chance from one seeded generator, or a replay would not meet itself (I12).

The linter bans the names everywhere else; these tests hold its exceptions to what they are for.
"""

import ast

from tests.architecture.sources import dotted, imported_names, modules, place, tree

CLOCK = "src/gal_friday/adapters/clock/"
SIMULATORS = ("src/gal_friday/adapters/simulated/", "src/gal_friday/simulation/")
READS_THE_TIME = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter"),
    *("time.perf_counter_ns", "time.process_time", "time.localtime", "time.gmtime"),
}
SECRETS = "src/gal_friday/adapters/access/chance.py"
TAKES_CHANCES = {"os.urandom", "uuid.uuid1", "uuid.uuid4", "uuid4", "uuid1", "urandom"}


def uses() -> list[tuple[str, int, str]]:
    """Return file, line and dotted name of every attribute or name that the package uses."""
    return [
        (place(path), node.lineno, dotted(node))
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute | ast.Name)
    ]


def test_only_the_clock_reads_the_time() -> None:
    found = [
        f"{file}:{line} {name}"
        for file, line, name in uses()
        if ".".join(name.split(".")[-2:]) in READS_THE_TIME and not file.startswith(CLOCK)
    ]
    assert found == []


def test_nobody_imports_the_time_by_another_name() -> None:
    found = [
        f"{place(path)}:{line} {name}"
        for path in modules()
        for line, name in imported_names(path)
        if name in READS_THE_TIME | TAKES_CHANCES and not place(path).startswith(CLOCK)
    ]
    assert found == []


def test_nobody_takes_chances() -> None:
    assert [f"{file}:{line} {name}" for file, line, name in uses() if name in TAKES_CHANCES] == []


def test_only_what_makes_secrets_imports_the_module_for_them() -> None:
    assert {place(path) for path in modules() for _, name in imported_names(path) if name == "secrets"} == {SECRETS}


def test_only_simulators_know_random_and_only_its_class() -> None:
    found = [
        f"{place(path)}:{line} {name}"
        for path in modules()
        for line, name in imported_names(path)
        if name.split(".")[0] == "random" and not (place(path).startswith(SIMULATORS) and name == "random.Random")
    ]
    assert found == [], "write `from random import Random` and Random(seed), in the simulators only"


def test_every_generator_is_seeded() -> None:
    found = [
        f"{place(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and dotted(node.func) in {"Random", "random.Random"} and not node.args
    ]
    assert found == []
