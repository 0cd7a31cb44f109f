"""A plot of what grows with what, as SVG, from numbers alone: the same numbers give the same bytes."""

from math import ceil, floor, log10

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 460, 320, 70, 40, 20, 60
COLOURS = ["#1b6ca8", "#c2562d", "#3f8f4f", "#7a4fa3"]


def label(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def panel(title: str, across: str, up: str, lines: dict[str, list[tuple[float, float]]], left: int) -> list[str]:
    """Lines over logarithmic axes; what is linear rises by 45 degrees where both axes have equal decades."""
    points = [point for line in lines.values() for point in line]
    edges = [
        (floor(log10(min(p[axis] for p in points)) + 1e-9), ceil(log10(max(p[axis] for p in points)) - 1e-9))
        for axis in (0, 1)
    ]
    edges = [(low, high if high > low else low + 1) for low, high in edges]
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        (x0, x1), (y0, y1) = edges
        return (
            left + LEFT + width * (log10(x) - x0) / (x1 - x0),
            TOP + height * (1 - (log10(y) - y0) / (y1 - y0)),
        )

    out = [f'<text x="{left + LEFT}" y="22" font-weight="bold">{title}</text>']
    for decade in range(edges[0][0], edges[0][1] + 1):
        x, _ = place(10.0**decade, 10.0 ** edges[1][0])
        out.append(f'<path d="M{x:.1f} {TOP}V{TOP + height}" stroke="#ddd"/>')
        out.append(f'<text x="{x:.1f}" y="{TOP + height + 18}" text-anchor="middle">{label(10.0**decade)}</text>')
    for decade in range(edges[1][0], edges[1][1] + 1):
        _, y = place(10.0 ** edges[0][0], 10.0**decade)
        out.append(f'<path d="M{left + LEFT} {y:.1f}H{left + LEFT + width}" stroke="#ddd"/>')
        out.append(f'<text x="{left + LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label(10.0**decade)}</text>')
    out.append(f'<text x="{left + LEFT + width / 2}" y="{HEIGHT - 22}" text-anchor="middle">{across}</text>')
    middle = TOP + height / 2
    out.append(
        f'<text x="{left + 18}" y="{middle}" text-anchor="middle" transform="rotate(-90 {left + 18} {middle})">{up}</text>'
    )
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [place(*point) for point in line]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        y = TOP + 16 + 16 * number
        out.append(f'<text x="{left + LEFT + 10}" y="{y}" fill="{colour}">{name}</text>')
    return out


def svg(panels: list[tuple[str, str, str, dict[str, list[tuple[float, float]]]]]) -> str:
    width = WIDTH * len(panels)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for number, (title, across, up, lines) in enumerate(panels):
        body += panel(title, across, up, lines, number * WIDTH)
    return "\n".join([*body, "</svg>"]) + "\n"
