"""The domain is values and functions: what it may import is listed here in full."""

import ast

from tests.architecture.sources import dotted, imported_names, modules, place, tree

# No clock, no input or output, no chance. `datetime` is here for its types; reading the time is banned apart.
MAY_IMPORT = {
    *(
        "__future__",
        "abc",
        "bisect",
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
    ),
    *(
        "functools",
        "hashlib",
        "heapq",
        "hmac",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "string",
        "types",
    ),
    *("typing", "unicodedata", "msgspec"),
}


def test_the_domain_imports_nothing_of_the_outside() -> None:
    foreign = [
        f"{place(path)}:{line} {name}"
        for path in modules("domain")
        for line, name in imported_names(path)
        if name.split(".")[0] not in MAY_IMPORT and not name.startswith("gal_friday.domain")
    ]
    assert foreign == []


def test_the_domain_awaits_nothing() -> None:  # every await marks the world
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    found = [
        f"{place(path)}:{node.lineno}"
        for path in modules("domain")
        for node in ast.walk(tree(path))
        if isinstance(node, waits)
    ]
    assert found == []


def test_the_domain_makes_no_float() -> None:  # I1
    found = [
        f"{place(path)}:{node.lineno}"
        for path in modules("domain")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and dotted(node.func) == "float"
    ]
    assert found == []
