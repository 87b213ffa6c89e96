"""A log-log line chart as SVG text: no more than the reports need, and no dependency.

Every line is named beside its end and has its own marker, so that nothing depends on telling colours apart. The
chart brings its own background and follows the reader's preference for light or dark.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 900, 480
LEFT, RIGHT, TOP, BOTTOM = 74, 375, 52, 62
LABEL_HEIGHT = 17
MARGIN = 1.35
# Pairs for a light and a dark background; both keep apart for the common kinds of colour blindness.
COLOURS = (
    ("#0066b3", "#58b5f0"),
    ("#c44f00", "#ff9a57"),
    ("#00795a", "#3fcf9f"),
    ("#a03a7a", "#e79acb"),
    ("#7a6000", "#e3c234"),
    ("#4747a1", "#aaaaf5"),
    ("#5a5a5a", "#b5b5b5"),
)
MARKERS = ("circle", "square", "triangle", "diamond")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """points: (x, y), all above 0, by rising x; estimated: which of them are, drawn hollow; strong: drawn thick."""

    name: str
    points: Sequence[Point]
    estimated: Sequence[bool]
    strong: bool = False


class Axis:
    """A little more than the values' range, laid out on a logarithmic scale between two pixels."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low, self.high = math.log10(min(values) / MARGIN), math.log10(max(values) * MARGIN)
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def decades(self) -> list[float]:
        return [10.0**power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]


def line_chart(title: str, x_label: str, y_label: str, lines: Sequence[Line]) -> str:
    points = [point for line in lines for point in line.points]
    x = Axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = Axis([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    hollow = " (hollow: estimated from samples)" if any(any(line.estimated) for line in lines) else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f"<style>{_style()}</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        f'<text class="ink" x="20" y="30" font-size="17" font-weight="600">{escape(title)}</text>',
        *_grid(x, y, sorted({point[0] for point in points})),
        f'<text class="ink" x="{(x.start + x.end) / 2}" y="{HEIGHT - 16}" text-anchor="middle">'
        f"{escape(x_label + hollow)}</text>",
        f'<text class="ink" transform="translate(20 {(y.start + y.end) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>",
    ]
    ends = [y.place(line.points[-1][1]) for line in lines]
    heights = spread(ends, LABEL_HEIGHT, TOP + 4, HEIGHT - BOTTOM)
    for number, line in reversed(list(enumerate(lines))):  # the first on top
        parts += _line(x, y, line, number, heights[number])
    return "\n".join([*parts, "</svg>"]) + "\n"


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, in the same order, at least `gap` apart, and between `low` and `high` if there is
    room."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places = [0.0] * len(wanted)
    least = low
    for at in order:
        places[at] = max(wanted[at], least)
        least = places[at] + gap
    most = high
    for at in reversed(order):
        places[at] = min(places[at], most)
        most = places[at] - gap
    return places


def _style() -> str:
    def theme(which: int, back: str, ink: str, grid: str) -> str:
        colours = "".join(
            f".s{number}{{stroke:{pair[which]}}}.f{number}{{fill:{pair[which]}}}" for number, pair in enumerate(COLOURS)
        )
        return f".back,.hollow{{fill:{back}}}.ink{{fill:{ink}}}.grid{{stroke:{grid}}}{colours}"

    dark = theme(1, "#0d1117", "#e6edf3", "#30363d")
    return f"{theme(0, '#ffffff', '#1f2328', '#d8dee4')}@media (prefers-color-scheme:dark){{{dark}}}"


def _grid(x: Axis, y: Axis, sizes: Sequence[float]) -> Iterator[str]:
    for value in sizes:
        at = f"{x.place(value):.1f}"
        yield f'<line class="grid" x1="{at}" y1="{y.start}" x2="{at}" y2="{y.end}"/>'
        yield f'<text class="ink" x="{at}" y="{y.start + 20}" text-anchor="middle">{short(value)}</text>'
    for value in y.decades():
        at = f"{y.place(value):.1f}"
        yield f'<line class="grid" x1="{x.start}" y1="{at}" x2="{x.end}" y2="{at}"/>'
        yield f'<text class="ink" x="{x.start - 8}" y="{at}" dy="4" text-anchor="end">{short(value)}</text>'


def _line(x: Axis, y: Axis, line: Line, number: int, height: float) -> Iterator[str]:
    colour = 0 if line.strong else 1 + number % (len(COLOURS) - 1)
    width = 3.5 if line.strong else 1.6
    places = [(x.place(at), y.place(value)) for at, value in line.points]
    path = " ".join(f"{at:.1f},{value:.1f}" for at, value in places)
    yield f'<polyline class="s{colour}" points="{path}" fill="none" stroke-width="{width}"/>'
    end, label = places[-1], x.end + 22
    yield (
        f'<polyline class="s{colour}" points="{end[0]:.1f},{end[1]:.1f} {x.end:.1f},{end[1]:.1f} '
        f'{label:.1f},{height:.1f}" fill="none" stroke-width="0.9" stroke-dasharray="1 3"/>'
    )
    for (at, value), estimated in zip([*places, (label, height)], [*line.estimated, False], strict=True):
        fill, size = "hollow" if estimated else f"f{colour}", 4.5 if line.strong else 3.5
        yield f'<path class="s{colour} {fill}" stroke-width="1.4" d="{_marker(number, at, value, size)}"/>'
    weight = ' font-weight="700"' if line.strong else ""
    yield f'<text class="ink" x="{label + 9:.1f}" y="{height:.1f}" dy="4"{weight}>{escape(line.name)}</text>'


def _marker(number: int, x: float, y: float, size: float) -> str:
    """The outline of the line's marker around the point."""
    kind = MARKERS[number % len(MARKERS)]
    if kind == "circle":
        return f"M{x - size:.1f} {y:.1f}a{size} {size} 0 1 0 {2 * size} 0a{size} {size} 0 1 0 {-2 * size} 0z"
    corners = {
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "triangle": ((0, -1.3), (1.2, 1), (-1.2, 1)),
        "diamond": ((0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)),
    }[kind]
    return "M" + "L".join(f"{x + dx * size:.1f} {y + dy * size:.1f}" for dx, dy in corners) + "z"


def short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1e3:g} k" if value >= 1e3 else f"{value:g}"
