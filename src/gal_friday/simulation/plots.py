"""Plots as SVG, drawn here: shares of errors over the time it took, and bars of who put what right."""

from collections.abc import Iterable, Mapping
from html import escape
from math import log10

from gal_friday.simulation.measure import Times

_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
"""Told apart by everybody: the palette of Okabe and Ito."""
_WIDE, _HIGH, _LEFT, _LOW = 720, 320, 50, 40
_TICKS = (1, 3, 10, 30, 100, 300, 1_000)
"""Minutes."""
_BAR, _NAMES = 22, 170


def curves(times: Mapping[str, Times | None]) -> str:
    """Return which share of them was there after how many minutes."""
    some = {name: one for name, one in times.items() if one is not None and one.percentiles}
    parts = [*_frame()]
    for number, (name, one) in enumerate(some.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(f"{_x(at / 60):.1f},{_y(share):.1f}" for share, at in enumerate(one.percentiles, start=1))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(_WIDE - 130, 20 + 18 * number, name, colour))
    return _drawing(_WIDE, _HIGH, parts)


def bars(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return one bar for every name, divided by who."""
    whos = sorted({who for some in counts.values() for who in some})
    colours = {who: _COLOURS[number % len(_COLOURS)] for number, who in enumerate(whos)}
    most, scale = max((sum(some.values()) for some in counts.values()), default=1), _WIDE - _NAMES - 60
    parts = [_text(_NAMES + 110 * number, 14, who, colours[who]) for number, who in enumerate(whos)]
    for number, (name, some) in enumerate(counts.items()):
        y, x = 26 + number * _BAR, float(_NAMES)
        parts.append(_text(0, y + 13, name.replace("_", " ")))
        for who, count in some.items():
            wide = count / most * scale
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{_BAR - 6}" fill="{colours[who]}"/>')
            x += wide
        parts.append(_text(x + 6, y + 13, f"{sum(some.values()):,}"))
    return _drawing(_WIDE, 30 + len(counts) * _BAR, parts)


def _x(minutes: float) -> float:
    return _LEFT + log10(max(minutes, _TICKS[0]) / _TICKS[0]) / log10(_TICKS[-1]) * (_WIDE - _LEFT - 30)


def _y(share: float) -> float:
    return _HIGH - _LOW - share / 100 * (_HIGH - _LOW - 10)


def _frame() -> Iterable[str]:
    for minutes in _TICKS:
        x = _x(minutes)
        yield f'<line x1="{x:.1f}" y1="10" x2="{x:.1f}" y2="{_HIGH - _LOW}" stroke="#8884"/>'
        yield _text(x - 8, _HIGH - _LOW + 16, f"{minutes}")
    for share in (0, 50, 95, 100):
        yield f'<line x1="{_LEFT}" y1="{_y(share):.1f}" x2="{_WIDE - 30}" y2="{_y(share):.1f}" stroke="#8884"/>'
        yield _text(0, _y(share) + 4, f"{share} %")
    yield _text(_WIDE / 2, _HIGH - 6, "minutes after it went wrong")


def _text(x: float, y: float, text: str, colour: str = "currentColor") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{colour}">{escape(text)}</text>'


def _drawing(wide: int, high: int, parts: Iterable[str]) -> str:
    return f'<svg viewBox="0 0 {wide} {high}" width="{wide}" role="img" font-family="inherit">{"".join(parts)}</svg>'
