"""plots: how things grow, as SVG, drawn by gnuplot from the results that report.py describes."""
import os
import shutil
import statistics
import subprocess

import report

# file, title, group, label of x, figures (each a line a server), label of y
PICTURES = [
    ("latency.svg", "Delay of an event", "listeners", "listeners", (("p50_ms", "p50"), ("p99_ms", "p99")), "ms"),
    ("cpu.svg", "CPU of a delivery", "listeners", "listeners", (("cpu_us_per_delivery", ""),), "µs"),
    ("memory.svg", "Memory of a stream at rest", "listeners", "listeners", (("kb_per_stream", ""),), "KiB"),
    ("topics.svg", "Deliveries by topics of a connection", "topics a connection", "topics",
     (("deliveries_per_s", ""),), "deliveries/s"),
    ("bytes.svg", "Deliveries by size", "bytes an event", "bytes", (("deliveries_per_s", ""),), "deliveries/s"),
]


def lines_of(rows, figures):
    """[(title, [(x, y), …]), …] of a group."""
    lines = []
    for server in dict.fromkeys(name for row in rows for name in row["servers"]):
        for figure, word in figures:
            points = [(row["x"], statistics.median(numbers)) for row in rows
                      if (numbers := report.known(report.values(row, server, figure)))]
            if points:
                lines.append((f"{server} {word}".strip(), points))
    return lines


def script(title, x_label, y_label, lines, path):
    blocks = "".join(f"$d{i} << EOD\n" + "".join(f"{x} {y}\n" for x, y in points) + "EOD\n"
                     for i, (_, points) in enumerate(lines))
    drawn = ", ".join(f"$d{i} with linespoints linewidth 2 title \"{name}\"" for i, (name, _) in enumerate(lines))
    return (f"set terminal svg size 720,420 font 'sans,12' background '#ffffff'\nset output \"{path}\"\n"
            f"set title \"{title}\"\nset xlabel \"{x_label}\"\nset ylabel \"{y_label}\"\nset logscale xy\nset grid\n"
            f"set key outside right\n{blocks}plot {drawn}\n")


def draw(results, folder):
    """Writes the pictures that there are figures for; returns [(file, title), …]."""
    drawn, groups = [], report.groups(results["rows"].values())
    if not shutil.which("gnuplot"):
        print("plots: gnuplot is not installed: no pictures (Debian: gnuplot-nox)")
        return drawn
    os.makedirs(folder, exist_ok=True)
    for name, title, group, x_label, figures, y_label in PICTURES:
        lines = lines_of(groups.get(group, []), figures)
        if any(len(points) > 1 for _, points in lines):
            subprocess.run(["gnuplot"], input=script(title, x_label, y_label, lines, os.path.join(folder, name)), text=True,
                           check=True, encoding="utf-8")
            drawn.append((name, title))
    return drawn
