"""What a scenario is answered: whether each expectation holds, what was found instead, and what nobody expected."""

import pytest

from gal_friday.domain.scenario import read_scenario
from gal_friday.domain.scenario_check import Answer, check

READ = "2026-03-01T00:00:00Z"
DEPOSIT = f"""internal {READ} BTC 1.10 USD 100
exchange {READ} BTC 1.6 USD 100
moved exchange L1 deposit BTC 0.50
"""
L1 = "BTC excess 0.5 = L1 residual 0 because unbooked_deposit"
FILL = f"""internal {READ} BTC 1
exchange {READ} BTC 1
fill exchange T1 buy 1 BTC/USD at 9 order O1
fill exchange T1 buy 1 BTC/USD at 9
order internal O1 buy 1 BTC/USD open
order exchange O1 buy 2 BTC/USD filled
"""
FILLED = "O1 order_state_mismatch, order_state_mismatch, order_terms_mismatch because missed_fill"
TWICE = "T1 fill_missing_internal, identity_conflict because missed_fill"
POSITIONS = f"exchange {READ}\nposition internal XRP/USD 5\nposition exchange XRP/USD 2.50\n"
BLIND = f"internal {READ} BTC 1\nexchange {READ} USD 1\ncovers exchange balances partial because page 2\n"
MOVING = f"internal {READ} BTC 1\nexchange {READ} BTC 2\nfill both T1 buy 1 BTC/USD at 9 at 2026-03-01T00:00:01Z\n"
TIE = f"""internal {READ} EUR 150
exchange {READ} EUR 200
covers internal orders fills movements positions none
covers exchange orders fills positions none
moved exchange L1 deposit EUR 50 at 9h ago
moved exchange L2 deposit EUR 50 at 8h ago
"""
APART = f"""internal {READ} BTC 1
exchange {READ} BTC 3
moved exchange L1 deposit BTC 1.5 at 2h ago
moved exchange L2 reward BTC 0.5 at 1h ago
"""
BOTH = "BTC excess 2 = L1 L2 residual 0 because reward, unbooked_deposit"

ANSWERS = [
    (DEPOSIT, "BTC excess 0.5 = L1 residual 0", True, L1),
    (DEPOSIT, "BTC excess 0.5 = L1 residual 0 because unbooked_deposit", True, L1),
    (DEPOSIT, "BTC excess 0.5 = L1 residual 0 because reward", False, L1),
    (DEPOSIT, "BTC excess 0.5 = L1 residual 0 because unbooked_deposit, reward", False, L1),
    (DEPOSIT, "BTC excess 0.5 = L2 residual 0", False, L1),
    (DEPOSIT, "BTC excess 0.5 = L1, L2 residual 0", False, L1),
    (DEPOSIT, "BTC excess 0.5 = nothing residual 0", False, L1),
    (DEPOSIT, "BTC excess 0.4 = L1 residual 0", False, L1),
    (DEPOSIT, "BTC shortfall 0.5 = L1 residual 0", False, L1),
    (DEPOSIT, "BTC excess 0.5 = L1 residual 0.1", False, L1),
    (DEPOSIT, "BTC.earn excess 0.5 = L1 residual 0", False, "BTC.earn is on neither side"),
    (DEPOSIT, "USD excess 1 = L1 residual 0", False, "USD agrees"),
    (DEPOSIT, "BTC agrees", False, "BTC differs"),
    (DEPOSIT, "USD agrees", True, "USD agrees"),
    (DEPOSIT, "USD pending", False, "USD agrees"),
    (DEPOSIT, "ETH agrees", True, "ETH is on neither side"),
    (DEPOSIT, "ETH pending", False, "ETH is on neither side"),
    (DEPOSIT, "verdict discrepancies", True, "verdict discrepancies"),
    (DEPOSIT, "verdict incomplete", False, "verdict discrepancies"),
    (DEPOSIT, "tie", False, "no tie"),
    (DEPOSIT, "movement L1 movement_missing_internal", True, "L1 movement_missing_internal because unbooked_deposit"),
    (
        DEPOSIT,
        "movement L1 movement_missing_internal because reward",
        False,
        "L1 movement_missing_internal because unbooked_deposit",
    ),
    (DEPOSIT, "movement L1 fill_mismatch", False, "L1 movement_missing_internal because unbooked_deposit"),
    (DEPOSIT, "movement L9 fill_mismatch", False, "L9 is no movement of either side"),
    (DEPOSIT, "fill L1 fill_mismatch", False, "L1 is no fill of either side"),
    (DEPOSIT, "hold BTC hold_mismatch", False, "BTC is no hold of either side"),
    (APART, "BTC excess 2 = L1 L2 residual 0 because reward, unbooked_deposit", True, BOTH),
    (APART, "BTC excess 2 = L2, L1 residual 0", True, BOTH),
    (APART, "BTC excess 2 = L1 residual 0", False, BOTH),
    (APART, "BTC excess 2 = L1 L2 residual 0 because reward", False, BOTH),
    (FILL, "order O1 order_terms_mismatch because missed_fill", True, FILLED),
    (FILL, "order O1 fill_mismatch", False, FILLED),
    (FILL, "fill T1 identity_conflict", True, TWICE),
    (FILL, "fill T1 fill_missing_internal", True, TWICE),
    (FILL, "fill T1 fill_mismatch", False, TWICE),
    (
        FILL,
        "source order:O1 order_fills_mismatch because incomplete_source",
        True,
        "order:O1 order_fills_mismatch because incomplete_source",
    ),
    (
        POSITIONS,
        "XRP/USD shortfall 2.5 = nothing residual -2.5",
        True,
        "XRP/USD shortfall 2.5 = nothing residual -2.5 because unexplained",
    ),
    (
        POSITIONS,
        "position XRP/USD quantity_mismatch because unexplained",
        True,
        "XRP/USD quantity_mismatch because unexplained",
    ),
    (POSITIONS, "ETH/USD agrees", True, "ETH/USD is on neither side"),
    (BLIND, "BTC cannot tell", True, "BTC cannot tell"),
    (BLIND, "USD cannot tell", False, "USD differs"),
    (BLIND, "verdict incomplete", True, "verdict incomplete"),
    (MOVING, "BTC pending", True, "BTC pending"),
    (MOVING, "BTC agrees", False, "BTC pending"),
    (MOVING, "verdict pending", True, "verdict pending"),
    (MOVING, "fill T1 fill_mismatch", False, "T1 agrees"),
    (TIE, "tie", True, "tie at EUR"),
    (TIE, "EUR excess 50 = nothing residual 50", True, "EUR excess 50 = nothing residual 50 because unexplained"),
    (TIE, "movement L1 movement_missing_internal", False, "L1 cannot tell"),
]


@pytest.mark.parametrize("lines, expected, held, found", ANSWERS)
def test_an_expectation_is_answered_with_what_was_found(lines: str, expected: str, held: bool, found: str) -> None:
    text = f"A story.\n\n{lines}expect {expected}\n"
    answer, *_ = check(read_scenario(text))
    assert answer == Answer(len(text.splitlines()), f"expect {expected}", held, found)


SURPRISING = (
    f"internal {READ} BTC 1 USD 9 ETH 1\nexchange {READ} BTC 1.5 USD 9 BTC.earn 2\nposition exchange XRP/USD 7\n"
)
SURPRISES = {
    "BTC.earn": "BTC.earn excess 2 = nothing residual 2 because unexplained",
    "BTC": "BTC excess 0.5 = nothing residual 0.5 because unexplained",
    "ETH": "ETH shortfall 1 = nothing residual -1 because unexplained",
    "XRP/USD": "XRP/USD excess 7 = nothing residual 7 because unexplained",
}


@pytest.mark.parametrize(
    "expected, others",
    [
        ("tie", {"BTC", "BTC.earn", "ETH", "XRP/USD"}),
        ("BTC agrees", {"BTC.earn", "ETH", "XRP/USD"}),
        ("BTC.earn excess 2 = nothing residual 2", {"BTC", "ETH", "XRP/USD"}),
        ("XRP/USD pending", {"BTC", "BTC.earn", "ETH"}),
        ("position XRP/USD position_missing_internal", {"BTC", "BTC.earn", "ETH"}),
        ("order XRP/USD order_duplicated", set(SURPRISES)),
    ],
)
def test_an_amount_that_differs_and_that_nobody_spoke_of_is_an_answer_of_its_own(
    expected: str, others: set[str]
) -> None:
    _, *rest = check(read_scenario(f"A story.\n\n{SURPRISING}expect {expected}\n"))
    said = [Answer(0, f"{name} was not expected to differ", False, SURPRISES[name]) for name in SURPRISES]
    assert rest == [one for one in said if one.expected.partition(" ")[0] in others]


def test_answers_stand_in_the_order_of_the_file_and_surprises_behind_them() -> None:
    answers = check(read_scenario(f"A story.\n\n{DEPOSIT}expect verdict pending\nexpect USD agrees\n"))
    assert [(answer.line, answer.held) for answer in answers] == [(6, False), (7, True), (0, False)]
