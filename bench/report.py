"""report: from what was measured to tables: medians with their range, ratios of the same round, what is reached.

Results are {"rows": {row: {"title", "group", "x", "figures", "reach", "servers": {server: [figures of a round, …]}}}}, where
a round that could not be measured is {"missing": why}. They are all that this file looks at."""
import statistics

BEGIN, END = "<!-- bench/run writes from here -->", "<!-- to here -->"
TIDINGS = "tidings"


def values(row, server, figure):
    """One of each round, None where there is none."""
    return [run.get(figure) for run in row["servers"].get(server, [])]


def known(numbers):
    return [number for number in numbers if number is not None]


def number(value, digits):
    if value is None:
        return "–"
    return f"{value:,.{digits}f}"


def spread(numbers, digits):
    """median (min..max), or the only one; – of none."""
    numbers = known(numbers)
    if not numbers:
        return "–"
    middle, low, high = (number(value, digits) for value in (statistics.median(numbers), min(numbers), max(numbers)))
    return middle if low == high else f"{middle} ({low}..{high})"


def ratios(row, server, of, figure):
    """Of each round in which both were measured."""
    pairs = zip(values(row, server, figure), values(row, of, figure))
    return [mine / theirs for mine, theirs in pairs if mine is not None and theirs]


def why_missing(runs):
    """What kept a server from being measured, where no round has figures."""
    if any("missing" not in run for run in runs):
        return None
    return runs[-1]["missing"] if runs else "not run"


# ---- what is reached ----

def judged(row, reach):
    """(what is wanted, what is, whether it is reached or None when that can't be said)"""
    wanted = f"≤ {reach['most']:g}" if reach["most"] is not None else f"≥ {reach['least']:g}"
    if reach["of"]:
        wanted += f" × {reach['of']}"
        numbers = ratios(row, reach["who"], reach["of"], reach["figure"])
    else:
        numbers = known(values(row, reach["who"], reach["figure"]))
    if not numbers:
        return wanted, "not measured", None
    middle = statistics.median(numbers)
    good = middle <= reach["most"] if reach["most"] is not None else middle >= reach["least"]
    return wanted, spread(numbers, 2), good


def reach_table(rows):
    lines = ["| work | figure | wanted | is | |", "|---|---|---|---|---|"]
    for row in rows:
        names = {figure: heading for figure, heading, _ in row["figures"]}
        for reach in row["reach"]:
            wanted, found, good = judged(row, reach)
            mark = {True: "reached", False: "**not reached**", None: ""}[good]
            lines.append(f"| {row['title']} | {names[reach['figure']]} | {wanted} | {found} | {mark} |")
    return lines


def wrong_line(rows):
    """What was lost, doubled or out of order, by server, in all rows that count deliveries; None without any."""
    wrong, due = {}, {}
    for row in rows:
        for server in row["servers"]:
            wrong[server] = wrong.get(server, 0) + sum(known(values(row, server, "wrong")))
            due[server] = due.get(server, 0) + sum(known(values(row, server, "expected")))
    if not any(due.values()):
        return None
    if not any(wrong.values()):
        return f"Nothing was lost, doubled or out of order, of {sum(due.values()):,} deliveries of all servers."
    return "**Lost, doubled or out of order**: " + "; ".join(
        f"{server} {count:,} of {due[server]:,} deliveries" for server, count in wrong.items() if count) + "."


# ---- tables ----

def row_table(row):
    """A line a server; the first figure also as a ratio to floor and nchan."""
    first = row["figures"][0][0]
    lines = [f"**{row['title']}**", "",
             "| | " + " | ".join(heading for _, heading, _ in row["figures"]) + " | of floor | of nchan |",
             "|---|" + "---|" * (len(row["figures"]) + 2)]
    absent = []
    for server, runs in row["servers"].items():
        why = why_missing(runs)
        if why:
            absent.append(f"{server}: not measured, {why}.")
            continue
        cells = [spread(values(row, server, figure), digits) for figure, _, digits in row["figures"]]
        cells += [spread(ratios(row, server, of, first), 2) for of in ("floor", "nchan")]
        lines.append(f"| {server} | " + " | ".join(cells) + " |")
    return lines + [""] + absent + ([""] if absent else [])


def growth_table(group, rows):
    """A line an x and server."""
    lines = [f"**By {group}**", "", f"| {group} | | " + " | ".join(heading for _, heading, _ in rows[0]["figures"]) + " |",
             "|---|---|" + "---|" * len(rows[0]["figures"])]
    absent = []
    for row in rows:
        for server, runs in row["servers"].items():
            why = why_missing(runs)
            if why:
                absent.append(f"{row['x']:,} {group}, {server}: not measured, {why}.")
                continue
            cells = [spread(values(row, server, figure), digits) for figure, _, digits in row["figures"]]
            lines.append(f"| {row['x']:,} | {server} | " + " | ".join(cells) + " |")
    return lines + [""] + absent + ([""] if absent else [])


def groups(rows):
    """{group: its rows} of those that have one, in order."""
    found = {}
    for row in rows:
        if row["group"]:
            found.setdefault(row["group"], []).append(row)
    return found


def report(results):
    rows = list(results["rows"].values())
    lines = [f"{results['head']}", ""]
    if any(row["reach"] for row in rows):
        lines += [*reach_table(rows), ""]
    if wrong_line(rows):
        lines += [wrong_line(rows), ""]
    for row in rows:
        if not row["group"]:
            lines += row_table(row)
    for group, members in groups(rows).items():
        lines += growth_table(group, members)
    lines += [f"{name} was left out: {why}." for name, why in results["absent"].items()]
    return "\n".join(lines).rstrip() + "\n"


def put_between(text, table):
    """The text with the table in the place of what is between the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{table}{END}{after}"
