"""Arithmetic on amounts happens in domain/quantity.py and nowhere else (I2).

The ambient decimal context keeps 28 digits and says nothing about the rest, so `a + b`, `-a`, `abs(a)`,
`sum`, `round` and `float` are wrong wherever they meet an amount, and so is an amount made of a float.
Only a type checker knows where that is: it is shown a Decimal that has none of them.
"""

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import mypy
import pytest

from tests.architecture.sources import ROOT, imported_names, modules, place

QUANTITY = "src/gal_friday/domain/quantity.py"
CONTEXTS = {
    *("decimal.Context", "decimal.getcontext", "decimal.setcontext", "decimal.localcontext"),
    *("decimal.DefaultContext", "decimal.BasicContext", "decimal.ExtendedContext"),
}
ROUNDS = (
    *(
        "abs",
        "add",
        "divmod",
        "floordiv",
        "mod",
        "mul",
        "neg",
        "pos",
        "pow",
        "radd",
        "rdivmod",
        "rfloordiv",
        "rmod",
    ),
    *(
        "rmul",
        "rpow",
        "rsub",
        "rtruediv",
        "sub",
        "truediv",
        "float",
        "complex",
        "round",
        "floor",
        "ceil",
        "trunc",
    ),
)
ROUNDING_METHODS = (
    *(
        "remainder_near",
        "fma",
        "normalize",
        "quantize",
        "to_integral_exact",
        "to_integral_value",
        "to_integral",
    ),
    *(
        "from_float",
        "sqrt",
        "exp",
        "ln",
        "log10",
        "logb",
        "scaleb",
        "next_minus",
        "next_plus",
        "next_toward",
        "max",
        "min",
    ),
)


def test_nobody_else_opens_a_decimal_context() -> None:
    found = [
        f"{place(path)}:{line} {name}"
        for path in modules()
        for line, name in imported_names(path)
        if place(path) != QUANTITY and (name == "decimal" or name in CONTEXTS)
    ]
    assert found == []


@pytest.fixture(scope="session")
def stubs_without_arithmetic() -> Path:
    """Return the checker's own stubs, but for a Decimal that can only be compared and written."""
    copied = ROOT / ".mypy_cache" / f"exact-{version('mypy')}"
    stub = copied / "stdlib" / "decimal.pyi"
    if not stub.exists():
        shutil.copytree(Path(mypy.__file__).parent / "typeshed", copied, dirs_exist_ok=True)
    whole = (Path(mypy.__file__).parent / "typeshed" / "stdlib" / "decimal.pyi").read_text(encoding="utf-8")
    before, start, rest = whole.partition("class Decimal:")
    decimal, end, after = rest.partition("class Context:")
    assert start, "the stub no longer has the shape this test knows"
    assert end, "the stub no longer has the shape this test knows"
    operators = "|".join(f"__{name}__" for name in ROUNDS)
    decimal = re.sub(rf"def ({operators}|{'|'.join(ROUNDING_METHODS)})\(", r"def banned_\1(", decimal)
    # Nor may an amount be made from a float, or compared with one (I1).
    before = re.sub(r"^(_DecimalNew: TypeAlias = Decimal \|) float", r"\1 int", before, flags=re.MULTILINE)
    before = re.sub(r"^(_ComparableNum: TypeAlias = Decimal \|) float", r"\1 int", before, flags=re.MULTILINE)
    changed = f"{before}{start}{decimal}{end}{after}"
    if stub.read_text(encoding="utf-8") != changed:
        stub.write_text(changed, encoding="utf-8")
    return copied


def complaints(stubs: Path, *paths: Path) -> list[str]:
    """Return what the checker says about amounts in these files when arithmetic on them does not exist."""
    command = [sys.executable, "-m", "mypy", "--custom-typeshed-dir", str(stubs), "--no-warn-unreachable"]
    command += ["--cache-dir", str(ROOT / ".mypy_cache" / "exact"), "--no-error-summary", "--no-color-output"]
    checked = subprocess.run([*command, *map(str, paths)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode in (0, 1), checked.stdout + checked.stderr
    # A name nobody defined says nothing about arithmetic; the ordinary check reports it.
    errors = [line for line in checked.stdout.splitlines() if ": error:" in line and "[name-defined]" not in line]
    return [line for line in errors if "Decimal" in line]


@pytest.mark.timeout(300)
def test_nobody_else_does_arithmetic_on_amounts(stubs_without_arithmetic: Path) -> None:
    assert complaints(stubs_without_arithmetic, ROOT / "src") == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "expression",
    [
        "a + a",
        "-a",
        "abs(a)",
        "a * 2",
        "sum([a])",
        "round(a, 2)",
        "float(a)",
        "a.normalize()",
        "Decimal(0.1)",
        "a < 0.1",
    ],
)
def test_the_check_sees_arithmetic(stubs_without_arithmetic: Path, tmp_path: Path, expression: str) -> None:
    module = tmp_path / "wrong.py"
    module.write_text(f"from decimal import Decimal\n\n\ndef f(a: Decimal) -> object:\n    return {expression}\n")
    assert len(complaints(stubs_without_arithmetic, module)) == 1
