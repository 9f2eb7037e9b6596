"""However many findings there are: the counts are of all, and what is kept are the largest."""

from decimal import Decimal

from gal_friday.bulk.judge import Judged
from gal_friday.bulk.weighed import ACCOUNTS, LARGEST, Weighed
from gal_friday.domain.discrepancy import BalanceDiscrepancy
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.materiality import Severity

MANY = 30 * LARGEST


def discrepancy(number: int, value: Decimal | None) -> BalanceDiscrepancy:
    return BalanceDiscrepancy(
        id=f"dis_{number}", key="balances:BTC:spot", currency="BTC", wallet="spot",
        type=DiscrepancyType.BALANCE_MISMATCH, internal=Decimal(0), exchange=Decimal(1), difference=Decimal(1),
        severity=Severity.HIGH if number % 2 else Severity.LOW, value=value,
    )  # fmt: skip


def test_of_any_number_the_largest_are_kept_and_all_are_counted() -> None:
    mixed = (number * 7_919 % MANY for number in range(MANY))
    values = [Decimal(number) if number % 3 else None for number in mixed]
    weighed, nothing = Weighed(), Judged("none", 0, 3, (), (), (), (), ())
    weighed.hear(nothing)
    for number, value in enumerate(values):
        found = (discrepancy(number, value), discrepancy(number, None))
        weighed.hear(Judged(f"a{number}", 2, 0, (), found, (), (), ()))
    known = sorted((value for value in values if value is not None), reverse=True)
    assert [found.one.value for found in weighed.largest()] == known[:LARGEST]
    assert [share.value for _, share in weighed.accounts()] == known[:ACCOUNTS]
    whole = weighed.all
    assert (whole.count, whole.value, whole.unpriced) == (2 * MANY, sum(known), MANY + MANY // 3)
    assert (whole.worst, weighed.unlike) == (Severity.HIGH, MANY)
    assert [(name, share.count) for name, share in weighed.types()] == [("balance_mismatch", 2 * MANY)]


def test_what_is_heard_apart_and_joined_is_what_is_heard_at_once() -> None:
    one, first, second = Weighed(), Weighed(), Weighed()
    for number in range(MANY):
        value = Decimal(number * 7_919 % 50) if number % 3 else None
        heard = Judged(f"a{number}", 2, 0, (), (discrepancy(number, value),), (), (), ())
        one.hear(heard)
        (first if number < MANY // 3 else second).hear(heard)
    first.join(second)
    for told in ("largest", "accounts", "types", "causes"):
        assert list(getattr(first, told)()) == list(getattr(one, told)())
    assert (first.all, first.unlike) == (one.all, one.unlike)
