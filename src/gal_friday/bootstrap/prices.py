"""What is wrong with the configured prices before any run: a file that cannot be used, instants that have not come."""

from collections.abc import Iterator
from datetime import datetime

from gal_friday.bootstrap.errors import BadConfiguration
from gal_friday.bootstrap.settings import Settings
from gal_friday.bootstrap.wire import price_file
from gal_friday.domain.price import AHEAD
from gal_friday.domain.quantity import text
from gal_friday.ports.errors import PricesFailed


def price_problems(settings: Settings, *, now: datetime) -> Iterator[str]:
    """Yield what a run would not use, each with its place and what to do. How old a price is shows at the run."""
    try:
        file = price_file(settings)
        rows = file.rows() if file is not None else ()
    except (PricesFailed, BadConfiguration) as wrong:
        yield f"[prices] file: {wrong}"
        return
    for row in rows:
        if row.at - now > AHEAD:
            price = f"{row.asset} = {text(row.amount)} {row.currency}"
            yield f"[prices] file: {row.where}: {price} is of {row.at.isoformat()}, which has not come yet; correct at"
