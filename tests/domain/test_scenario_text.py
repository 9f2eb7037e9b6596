"""The text of a scenario: each word means one thing; a broken line says where, what stands there, what belongs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gal_friday.domain.assets import Asset, Instrument, Wallet
from gal_friday.domain.cause import Cause
from gal_friday.domain.finding import DiscrepancyType
from gal_friday.domain.records import Balance, Fill, Kind, Movement, Order, OrderSide, Position, PositionMode
from gal_friday.domain.scenario import read_scenario
from gal_friday.domain.scenario_expect import (
    AmountKey,
    ExpectedAmount,
    ExpectedRecord,
    ExpectedState,
    ExpectedTie,
    ExpectedVerdict,
    Line,
)
from gal_friday.domain.scenario_words import MalformedScenario
from gal_friday.domain.snapshot import Coverage, NotChecked, Scales, Side, Since, Snapshot
from gal_friday.domain.verdict import Verdict
from tests.domain.build import ALL

D = Decimal
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BTC, USD, PAIR, OTHER = Asset("BTC"), Asset("USD"), Instrument("BTC/USD"), Instrument("AAPLx/USD:X")
MINUTE = timedelta(minutes=1)
END = "the end of the line"
ZONE = "with its zone, as 2026-03-01T00:00:00Z,"
HOLDING = "an asset, as BTC or BTC.earn, with a known wallet (spot, earn, bonded, held, futures, in_transit),"
KINDS = "balances, positions, orders, fills, movements"
STATUSES = "canceled, expired, filled, open, pending, rejected"
MOVEMENTS = (
    "fill, conversion, credit, delisting, deposit, earn_transfer, exchange_adjustment, fee, margin, nft, opening, "
    "plug, reward, rollover, settlement, trade, transfer, withdrawal"
)


def utc(day: int, hour: int = 0, minute: int = 0, second: int = 0, month: int = 3) -> datetime:
    """Return an instant of the year 2026."""
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


def window(at: datetime | None) -> Since:
    """Return a window of every kind that has one."""
    return Since(orders=at, fills=at, movements=at)


def side_of(name: Side, **more: Any) -> Snapshot:
    """Return a side on which nothing is: all covered, read at noon, for a day."""
    fields: dict[str, Any] = {"as_of": NOON, "coverage": ALL, "since": window(datetime(2026, 2, 28, 12, tzinfo=UTC))}
    return Snapshot(side=name, account="main", exchange="kraken", **(fields | more))


def read(lines: str) -> tuple[Snapshot, Snapshot]:
    """Return both sides of a story with these lines, of which the first is line 3."""
    scenario = read_scenario(f"A story.\n\n{lines}\nexpect tie\n")
    return scenario.internal, scenario.exchange


def order(name: str, at: datetime, instrument: Instrument = PAIR) -> Order:
    """Return an open order to buy 2 of which nothing is done."""
    return Order(name, instrument, OrderSide.BUY, D(2), D(0), "open", opened_at=at, updated_at=at)


def leg(name: str, asset: str, amount: str, at: datetime) -> Movement:
    """Return a row of the fill T2."""
    return Movement(name, "trade", Asset(asset), Wallet.SPOT, D(amount), at, refers_to="T2")


FULL = """\
Two books,
  and every word in one file.

moved exchange L1 reward BTC.earn -0.5 fee 0.01 of E1 at 30s ago subtype bonus   # before its side is read
exchange 2026-03-01T00:01:00Z  BTC 1  BTC.earn 2
internal 2026-03-01T00:00:00Z  USD -5
held exchange BTC.earn 0.25
covers internal positions orders partial because the export stops at 500
covers internal fills none because it has none
covers exchange orders none
since internal beginning
since exchange 2026-02-01T00:00:00Z
scale BTC 8
scale USD 12
price BTC 60000
price USD 1
fill exchange T1 sell 0.5 BTC/USD at 60000 fee 3 USD order O1 margin at 2026-02-28T23:00:00Z type limit
fill both T2 buy 2 AAPLx/USD:X at 230.10
moved exchange L2 fill BTC 7 of T2
moved both L3 deposit USD 1 at 2h ago
position both BTC/USD -3 price 59000
position internal AAPLx/USD:X 4
order exchange O1 sell 0.5 BTC/USD filled price 60000 client c1 type limit at 3d ago
order both O2 buy 2 AAPLx/USD:X open
order internal O3 buy 2 BTC/USD canceled filled 1 at 5m ago
expect BTC excess 0.25 = T1, L1 residual 0.05 because missed_fill, dust
expect USD.earn shortfall 2 = nothing residual -2
expect BTC.earn agrees
expect BTC/USD pending
expect USD cannot tell
expect AAPLx/USD:X shortfall 4 = T2 residual 0
expect order O1 order_not_tracked because foreign_order
expect hold BTC hold_mismatch
expect tie
expect verdict incomplete
"""


def test_story_and_prices_of_a_scenario_are_those_of_its_file() -> None:
    scenario = read_scenario(FULL)
    assert scenario.story == "Two books, and every word in one file."
    assert scenario.prices == {BTC: D(60000), USD: D(1)}


def test_every_word_about_the_book_means_what_is_written_here() -> None:
    earlier, exported = utc(28, 12, month=2), "the export stops at 500"
    assert read_scenario(FULL).internal == side_of(
        "internal",
        as_of=utc(1),
        coverage=replace(ALL, positions=Coverage.PARTIAL, orders=Coverage.PARTIAL, fills=Coverage.NONE),
        since=Since(),
        scales=Scales(assets={BTC: 8, USD: 12}),
        balances=(Balance(USD, Wallet.SPOT, D(-5)),),
        positions=(
            Position(PAIR, PositionMode.NET, D(-3), D(59000)),
            Position(OTHER, PositionMode.NET, D(4)),
        ),
        orders=(
            order("O2", earlier + 24 * MINUTE, OTHER),  # named on line 24, and so many minutes after half a day before
            replace(order("O3", utc(28, 23, 55, month=2)), filled=D(1), status="canceled"),
        ),
        fills=(Fill("T2", OTHER, OrderSide.BUY, D(2), D("230.10"), earlier + 18 * MINUTE),),
        movements=(
            leg("T2:AAPLx", "AAPLx", "2", earlier + 18 * MINUTE),
            leg("T2:USD", "USD", "-460.20", earlier + 18 * MINUTE),
            Movement("L3", "deposit", USD, Wallet.SPOT, D(1), utc(28, 22, month=2)),
        ),
        not_checked=(
            NotChecked(Kind.POSITIONS, exported),
            NotChecked(Kind.ORDERS, exported),
            NotChecked(Kind.FILLS, "it has none"),
        ),
    )


def test_every_word_about_the_exchange_means_what_is_written_here() -> None:
    earlier = utc(28, 12, 1, month=2)
    assert read_scenario(FULL).exchange == side_of(
        "exchange",
        as_of=utc(1, 0, 1),
        coverage=replace(ALL, orders=Coverage.NONE),
        since=window(utc(1, month=2)),
        scales=Scales(assets={BTC: 8, USD: 12}),
        balances=(Balance(BTC, Wallet.SPOT, D(1)), Balance(BTC, Wallet.EARN, D(2), D("0.25"))),
        positions=(Position(PAIR, PositionMode.NET, D(-3), D(59000)),),
        orders=(
            Order(
                *("O1", PAIR, OrderSide.SELL, D("0.5"), D("0.5"), "filled", "c1", "limit", D(60000)),
                opened_at=utc(26, 0, 1, month=2),
                updated_at=utc(26, 0, 1, month=2),
            ),
            order("O2", earlier + 24 * MINUTE, OTHER),
        ),
        fills=(
            Fill(
                *("T1", PAIR, OrderSide.SELL, D("0.5"), D(60000), utc(28, 23, month=2), "O1", D(3), USD),
                margin=True,
                extra={"ordertype": "limit"},
            ),
            Fill("T2", OTHER, OrderSide.BUY, D(2), D("230.10"), earlier + 18 * MINUTE),
        ),
        movements=(  # the fill T2 has a row of its own here, and so no others
            leg("L2", "BTC", "7", earlier + 19 * MINUTE),
            Movement("L3", "deposit", USD, Wallet.SPOT, D(1), utc(28, 22, 1, month=2)),
            Movement("T1:USD", "margin", USD, Wallet.SPOT, D(0), utc(28, 23, month=2), D(3), "T1"),
            Movement(
                *("L1", "reward", BTC, Wallet.EARN, D("-0.5"), utc(1, 0, 0, 30), D("0.01"), "E1"),
                extra={"subtype": "bonus"},
            ),
        ),
    )


def test_every_expectation_of_a_scenario_is_taken_as_it_is_written() -> None:
    lines = FULL.splitlines()
    balances, positions = Kind.BALANCES, Kind.POSITIONS
    assert read_scenario(FULL).expectations == (
        ExpectedAmount(
            Line(26, lines[25]),
            AmountKey(balances, "BTC", "spot"),
            D("0.25"),
            ("T1", "L1"),
            D("0.05"),
            (Cause.MISSED_FILL, Cause.DUST),
        ),
        ExpectedAmount(Line(27, lines[26]), AmountKey(balances, "USD", "earn"), D(-2), (), D(-2)),
        ExpectedState(Line(28, lines[27]), AmountKey(balances, "BTC", "earn"), "agrees"),
        ExpectedState(Line(29, lines[28]), AmountKey(positions, "BTC/USD"), "pending"),
        ExpectedState(Line(30, lines[29]), AmountKey(balances, "USD", "spot"), "cannot tell"),
        ExpectedAmount(Line(31, lines[30]), AmountKey(positions, "AAPLx/USD:X"), D(-4), ("T2",), D(0)),
        ExpectedRecord(Line(32, lines[31]), Kind.ORDERS, "O1", DiscrepancyType.ORDER_NOT_TRACKED, Cause.FOREIGN_ORDER),
        ExpectedRecord(Line(33, lines[32]), Kind.HOLDS, "BTC", DiscrepancyType.HOLD_MISMATCH),
        ExpectedTie(Line(34, lines[33])),
        ExpectedVerdict(Line(35, lines[34]), Verdict.INCOMPLETE),
    )


def test_what_a_scenario_does_not_say_has_a_sensible_value() -> None:
    scenario = read_scenario("A story.\n\nexpect tie\n")
    assert (scenario.internal, scenario.exchange, scenario.prices) == (side_of("internal"), side_of("exchange"), {})


def test_reasons_for_what_was_not_read_are_all_kept() -> None:
    ours, theirs = read("covers both orders none because of A\ncovers internal fills partial because of B\n")
    assert ours.not_checked == (NotChecked(Kind.ORDERS, "of A"), NotChecked(Kind.FILLS, "of B"))
    assert theirs.not_checked == (NotChecked(Kind.ORDERS, "of A"),)


def test_a_side_whose_movements_were_not_read_gets_none_from_its_fills() -> None:
    ours, theirs = read("fill both T1 buy 1 BTC/USD at 9\ncovers internal movements none\n")
    assert (len(ours.movements), len(theirs.movements)) == (0, 2)


BROKEN = [
    ("", 1, "the end of the line", "a story, up to the first blank line"),
    ("A story.\n\ntie", 3, "the end of the line", "at least one line that begins with expect"),
    *(
        (f"A story.\n\n{line}\nexpect tie", 3, found, wanted)
        for line, found, wanted in [
            (
                "bought BTC",
                "'bought'",
                "a line (internal, exchange, held, covers, since, scale, price, moved, fill, position, order, expect)",
            ),
            ("internal today", "'today'", f"when this side was read {ZONE}"),
            ("internal 2026-03-01T00:00:00", "'2026-03-01T00:00:00'", f"when this side was read {ZONE}"),
            ("exchange", END, f"when this side was read {ZONE}"),
            ("internal 2026-03-01T00:00:00Z BTC", END, "how much BTC"),
            ("internal 2026-03-01T00:00:00Z .earn 1", "'.earn'", HOLDING),
            ("internal 2026-03-01T00:00:00Z BTC.vault 1", "'BTC.vault'", HOLDING),
            ("internal 2026-03-01T00:00:00Z BTC. 1", "'BTC.'", HOLDING),
            ("held ours", "'ours'", "a side (internal, exchange, both)"),
            ("held both", END, HOLDING),
            ("held both BTC x", "'x'", "how much is reserved"),
            ("held both BTC 1", END, "a total of BTC in spot on this side, above or below"),
            ("covers both", END, f"a kind of record ({KINDS})"),
            ("covers both holds none", "'holds'", f"a kind of record ({KINDS})"),
            ("covers both orders fills all", "'all'", "how much is covered (total, partial, none)"),
            ("covers both orders none but", "'but'", "the end of the line"),
            ("since both ever", "'ever'", f"an instant, or beginning {ZONE}"),
            ("scale", END, "an asset"),
            ("scale BTC 100", "'100'", "a number of digits"),
            ("scale BTC -1", "'-1'", "a number of digits"),
            ("price", END, "an asset"),
            ("price BTC", END, "what one unit is worth"),
            ("moved both", END, "an id"),
            ("moved both L1 gift", "'gift'", f"a kind of movement ({MOVEMENTS})"),
            ("moved both L1 fee BTC", END, "what was moved, signed"),
            ("moved both L1 fee BTC 1 for", "'for'", "one of the words that may follow (fee, of, at, subtype)"),
            ("moved both L1 fee BTC 1 fee", END, "an amount"),
            ("moved both L1 fee BTC 1 of", END, "a word"),
            ("moved both L1 fee BTC 1 fee 1 fee 2", "'2'", "no second fee, but the end of the line,"),
            ("moved both L1 fee BTC 1 at 5m", "'5m'", f"an instant, or 30s ago, 5m ago, 2h ago, 3d ago {ZONE}"),
            ("moved both L1 fee BTC 1 at 5w ago", "'5w'", f"an instant, or 30s ago, 5m ago, 2h ago, 3d ago {ZONE}"),
            ("moved both L1 fee BTC 1 at 36526d ago", "'36526d'", "at most 36525d ago"),
            ("moved both L1 fee BTC 1 at 1000000000s ago", "'1000000000s'", "at most 36525d ago"),
            ("fill both", END, "an id"),
            ("fill both T1 long", "'long'", "a direction (buy, sell)"),
            ("fill both T1 buy", END, "a size"),
            ("fill both T1 buy 1", END, "an instrument, as BTC/USD"),
            ("fill both T1 buy 1 BTC/USD for 2", "'for'", "at and a price"),
            ("fill both T1 buy 1 BTC/USD at", END, "a price"),
            ("fill both T1 buy 1 BTC/USD at 2 fee x", "'x'", "a fee"),
            ("fill both T1 buy 1 BTC/USD at 2 fee 3", END, "the asset of the fee"),
            (
                "fill both T1 buy 1 BTC/USD at 2 for",
                "'for'",
                "one of the words that may follow (fee, order, margin, at, type)",
            ),
            ("position both", END, "an instrument, as BTC/USD"),
            ("position both BTC/USD", END, "a signed size"),
            ("position both BTC/USD 1 at", "'at'", "one of the words that may follow (price)"),
            ("order both", END, "an id"),
            ("order both O1 long", "'long'", "a direction (buy, sell)"),
            ("order both O1 buy", END, "a size"),
            ("order both O1 buy 1", END, "an instrument, as BTC/USD"),
            ("order both O1 buy 1 BTC/USD done", "'done'", f"a status ({STATUSES})"),
            (
                "order both O1 buy 1 BTC/USD open for",
                "'for'",
                "one of the words that may follow (filled, price, client, type, at)",
            ),
            ("expect", END, HOLDING),
            ("expect tie at BTC", "'at'", "the end of the line"),
            ("expect verdict good", "'good'", "a verdict (incomplete, discrepancies, pending, reconciled)"),
            ("expect order", END, "an id, or an asset or instrument"),
            ("expect order O1 lost", "'lost'", f"a type of discrepancy ({', '.join(DiscrepancyType)})"),
            ("expect BTC wrong", "'wrong'", "what is expected of it (agrees, excess, shortfall, pending, cannot)"),
            ("expect BTC cannot", END, "tell"),
            ("expect BTC excess", END, "by how much"),
            ("expect BTC excess 1 by", "'by'", "= and what explains it"),
            ("expect BTC excess 1 = T1", END, "residual and what is left"),
            ("expect BTC excess 1 = T1 residual", END, "what is left"),
            ("expect BTC excess 1 = T1 residual 0 since", "'since'", "the end of the line"),
            ("expect BTC excess 1 = T1 residual 0 because", END, f"a cause ({', '.join(Cause)})"),
            ("expect BTC excess 1 = T1 residual 0 because dust, luck", "'luck'", f"a cause ({', '.join(Cause)})"),
        ]
    ),
]


@pytest.mark.parametrize("text, line, found, wanted", BROKEN)
def test_a_broken_line_says_where_it_stands_what_is_there_and_what_belongs(
    text: str, line: int, found: str, wanted: str
) -> None:
    with pytest.raises(MalformedScenario) as refused:
        read_scenario(text, source="day.txt")
    assert str(refused.value) == f"day.txt, line {line}: {found} where {wanted} was expected"


@pytest.mark.parametrize(
    "line, rule",
    [
        ("fill both T1 buy -1 BTC/USD at 2", "a size of -1 is below zero: the side tells the direction"),
        ("order both O1 buy 1 BTC/USD open filled -2", "a size of -2 is below zero: the side tells the direction"),
    ],
)
def test_what_no_record_can_be_is_refused_with_its_line(line: str, rule: str) -> None:
    with pytest.raises(MalformedScenario) as refused:
        read_scenario(f"A story.\n\n{line}\nexpect tie")
    assert str(refused.value) == f"scenario, line 3: {rule}"


@pytest.mark.parametrize("text, minutes", [("36525d", 36525 * 1440), ("0m", 0), ("60s", 1), ("2h", 120)])
def test_how_long_ago_is_counted_from_the_reading_up_to_a_hundred_years(text: str, minutes: int) -> None:
    ours, _ = read(f"moved internal L1 deposit BTC 1 at {text} ago\n")
    assert ours.movements[0].at == NOON - minutes * MINUTE


@pytest.mark.parametrize("digits", [0, 8, 99])
def test_a_scale_has_at_most_two_digits_itself(digits: int) -> None:
    assert read(f"scale BTC {digits}\n")[0].scales == Scales(assets={BTC: digits})
