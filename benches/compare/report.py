"""The results as Markdown."""

from statistics import median


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def row(measured: dict, packets: int, baselines: dict[str, float]) -> list[str]:
    walls = [run["wall_s"] for run in measured["runs"]]
    wall = median(walls)
    has_usage = "cpu_s" in measured["runs"][0]
    cpu = median(run["cpu_s"] for run in measured["runs"]) if has_usage else None
    peak = max(run["peak_mib"] for run in measured["runs"]) if has_usage else None
    ratios = [f"{wall / baseline:.1f}" if baseline else "-" for baseline in baselines.values()]
    counted = measured["counted"].get("packets")
    return [
        f"`{measured['name']}`",
        f"{wall:.3f}",
        f"{min(walls):.3f}",
        f"{cpu:.2f}" if cpu is not None else "-",
        f"{packets / wall / 1e6:.2f}",
        f"{packets / min(walls) / 1e6:.2f}",
        *ratios,
        f"{peak:.0f}" if peak is not None else "-",
        f"{counted:,}" if counted is not None else "-",
        str(len(walls)),
    ]


def markdown(result: dict) -> str:
    machine = result["machine"]
    text = [
        f"# Measurements of {result['date']}\n",
        f"- commit `{result['commit']}`, {result['toolchain']}, release build",
        f"- machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}; "
        f"load average at the start {', '.join(map(str, machine['load_average']))}",
        f"- command: `{result['command']}`",
        f"- captures and output in memory ({result['work']}); contenders take turns, and every run's totals were "
        "held against what the capture holds",
        f"- not installed, so not measured: {', '.join(result['missing']) or 'nothing'}\n",
        "Seconds are medians by the wall; in brackets the least. Mpps is million packets a second. Peak memory is "
        "the most of all runs.\n",
    ]
    for capture in result["captures"]:
        totals = capture["totals"]
        text.append(f"## `{capture['name']}`\n")
        text.append(
            f"`generate-traffic {capture['arguments']}`: {totals['packets']:,} packets, {totals['flows']:,} flows, "
            f"{totals['ip_bytes']:,} IP bytes, {totals['capture_bytes'] / 1e6:,.0f} MB.\n"
        )
        names = {"to `cat`": "cat", "to `capinfos`": "capinfos"}
        walls = {
            head: next(
                (
                    median(run["wall_s"] for run in measured["runs"])
                    for measured in capture["measured"]
                    if measured["name"].startswith(name)
                ),
                0.0,
            )
            for head, name in names.items()
        }
        heads = ["", "s", "least s", "CPU s", "Mpps", "most Mpps", *walls, "peak MiB", "packets counted", "runs"]
        text.append(table(heads, [row(one, totals["packets"], walls) for one in capture["measured"]]))
    checks = result["checks"]
    if checks.get("instructions"):
        text.append("## Instructions and allocations\n")
        text.append(
            "By valgrind, `small` with `--threads 1`; each further packet takes "
            f"**{checks['instructions']['instructions_per_further_packet']} instructions**.\n"
        )
        rows = [
            [f"{run[key]:,}" for key in ("packets", "flows", "instructions", "allocations", "allocated_bytes")]
            for run in checks["instructions"]["runs"]
        ]
        text.append(table(["packets", "flows", "instructions", "allocations", "bytes allocated"], rows))
    if checks.get("memory"):
        text.append("## Memory\n")
        text.append("Peak memory goes with the flows, not with the capture's size.\n")
        rows = [
            [f"{one['packets']:,}", f"{one['flows']:,}", f"{one['capture_bytes'] / 1e6:,.0f}"]
            + [str(one["threads"]), f"{one['peak_mib']:.1f}"]
            for one in checks["memory"]
        ]
        text.append(table(["packets", "flows", "MB", "threads", "peak MiB"], rows))
    if checks.get("stages"):
        text.append("## Stages\n")
        text.append(
            "`cargo bench --bench stages`: nanoseconds for a packet, of `records/…` for a record; medians with 95 % "
            "confidence.\n"
        )
        rows = [
            [f"`{one['benchmark']}`", f"{one['nanoseconds'][0]:.1f}"]
            + ["{1:.1f} – {2:.1f}".format(*one["nanoseconds"]), f"{one['elements']:,}"]
            for one in checks["stages"]
        ]
        text.append(table(["benchmark", "ns", "95 %", "elements"], rows))
    return "\n".join(text)
