"""A log-log line chart as SVG text: no more than the reports need, and no dependency."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 40, 50
COLOURS = ("#c1121f", "#e36414", "#8d99ae", "#1d4e89", "#2a9d8f", "#7b2cbf", "#6a994e", "#b08968")

Points = Sequence[tuple[float, float]]


class _Axis:
    """Whole decades around the values, laid out between two pixels."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low = math.floor(math.log10(min(values)))
        self.high = max(self.low + 1, math.ceil(math.log10(max(values))))
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def decades(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def line_chart(title: str, x_label: str, y_label: str, lines: Mapping[str, Points]) -> str:
    """The chart of named lines; every coordinate is above 0. The first line is drawn thicker."""
    points = [point for line in lines.values() for point in line]
    x = _Axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = _Axis([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"',
        ' font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
        *_grid(x, y),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>',
    ]
    for number, (name, line) in enumerate(lines.items()):
        parts += _line(x, y, name, line, number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _grid(x: _Axis, y: _Axis) -> Iterator[str]:
    for value in x.decades():
        at = f"{x.place(value):.1f}"
        yield f'<line x1="{at}" y1="{y.start}" x2="{at}" y2="{y.end}" stroke="#ddd"/>'
        yield f'<text x="{at}" y="{y.start + 18}" text-anchor="middle">{_short(value)}</text>'
    for value in y.decades():
        at = f"{y.place(value):.1f}"
        yield f'<line x1="{x.start}" y1="{at}" x2="{x.end}" y2="{at}" stroke="#ddd"/>'
        yield f'<text x="{x.start - 8}" y="{at}" dy="4" text-anchor="end">{_short(value)}</text>'


def _line(x: _Axis, y: _Axis, name: str, line: Points, number: int) -> Iterator[str]:
    colour, width = COLOURS[number % len(COLOURS)], 3 if number == 0 else 1.5
    path = " ".join(f"{x.place(at):.1f},{y.place(value):.1f}" for at, value in line)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
    for at, value in line:
        yield f'<circle cx="{x.place(at):.1f}" cy="{y.place(value):.1f}" r="{width}" fill="{colour}"/>'
    legend = TOP + 10 + 20 * number
    yield f'<rect x="{WIDTH - RIGHT + 14}" y="{legend - 9}" width="12" height="4" fill="{colour}"/>'
    yield f'<text x="{WIDTH - RIGHT + 32}" y="{legend - 3}" font-size="11">{escape(name)}</text>'


def _short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1e3:g} k" if value >= 1e3 else f"{value:g}"
