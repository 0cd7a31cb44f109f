#!/usr/bin/env python3
"""Measures how the cost of `flowtruth convert` grows, and what containers cost, and writes a dated page with a plot.

    benches/compare/growth.py [--runs 3] [--scale 1] [--binary target/release/flowtruth]

1, 2, 4 and 8 times the packets of `mix` and `small` with the same flows; 1,000 to 10 million flows in 10 million packets
(of `small`; the last of `synflood`); the same packets as pcap, pcapng and gzip; a tiny capture for the start-up. Takes
the least of the runs, which repeats best where a machine is shared, and checks each run's totals. Writes
`docs/benchmarks/DATE-growth.md`, `.json` and `.svg`; installs nothing.
"""

import argparse
import datetime
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import measure
import plot
import report

ROOT = Path(__file__).resolve().parents[2]


class Bench:
    """Generates captures and measures conversions of them."""

    def __init__(self, work: Path, binary: Path, generator: Path, runs: int, scale: float):
        self.work, self.binary, self.generator, self.runs, self.scale = work, binary, generator, runs, scale

    def generate(self, kind: str, packets: int, flows: int, *more: str) -> tuple[Path, dict]:
        capture = self.work / f"{kind}.pcap"
        packets, flows = int(packets * self.scale), max(int(flows * self.scale), 2)
        command = [self.generator, kind, "--packets", packets, "--flows", flows, *more, "-o", capture]
        done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
        return capture, json.loads(done.stderr)

    def convert(self, capture: Path, totals: dict, threads: int) -> dict:
        """The least wall and processor time of the runs, and the most memory."""
        ledger = self.work / "ledger.json"
        command = (
            f"{self.binary} convert --quiet --threads {threads} --ledger {ledger} "
            f"-o {self.work}/records.txt {shlex.quote(str(capture))}"
        )
        runs = []
        for _ in range(self.runs):
            runs.append(measure.run(command, self.work))
            total = json.loads(ledger.read_text())["total"]
            found = {"packets": total["packets_in_records"], "ip_bytes": total["ip_bytes_in_records"]}
            if any(found[key] != totals[key] for key in found):
                raise SystemExit(f"`{command}` counted {found}, expected {totals}")
        row = {"threads": threads, "wall_s": min(run["wall_s"] for run in runs)}
        if measure.TIME:
            row["cpu_s"] = min(run["cpu_s"] for run in runs)
            row["peak_mib"] = max(run["peak_mib"] for run in runs)
        print(f"  {capture.name} {totals['packets']:,} {totals['flows']:,}: {row}", file=sys.stderr)
        return row | totals

    def least(self, command: str, runs: int) -> dict:
        done = [measure.run(command, self.work) for _ in range(runs)]
        return {"wall_s": min(run["wall_s"] for run in done), "cpu_s": min(run.get("cpu_s", 0) for run in done)}


def growth(bench: Bench) -> dict[str, list[dict]]:
    rows: dict[str, list[dict]] = {}
    for kind, packets, flows in (("mix", 1_700_000, 72_000), ("small", 10_000_000, 100_000)):
        rows[kind] = []
        for times in (1, 2, 4, 8):
            capture, totals = bench.generate(kind, packets * times, flows)
            rows[kind] += [bench.convert(capture, totals, threads) for threads in (1, 2)]
            capture.unlink()
    rows["flows"] = []
    # drawn at random, 10 million packets have some 6 million of 10 million flows; of `synflood` each is a flow
    for kind, flows in (*(("small", 10**exponent) for exponent in range(3, 7)), ("synflood", 10_000_000)):
        capture, totals = bench.generate(kind, 10_000_000, flows)
        rows["flows"] += [bench.convert(capture, totals, threads) for threads in (1, 2)]
        capture.unlink()
    return rows


def containers(bench: Bench) -> list[dict]:
    """The same packets as pcap, pcapng and gzip; and what decompressing alone takes."""
    rows = []
    for kind, packets, flows in (("mix", 1_700_000, 72_000), ("small", 10_000_000, 100_000)):
        for name, more in (("pcap", []), ("pcapng", ["--pcapng"])):
            capture, totals = bench.generate(kind, packets, flows, *more)
            rows += [{"kind": kind, "container": name} | bench.convert(capture, totals, threads) for threads in (1, 2)]
            if name == "pcap":
                zipped = capture.with_suffix(".pcap.gz")
                with zipped.open("wb") as out:
                    subprocess.run(["gzip", "-1", "-c", capture], check=True, stdout=out)
                rows += [
                    {"kind": kind, "container": "pcap.gz"} | bench.convert(zipped, totals, threads)
                    for threads in (1, 2)
                ]
                inspected = bench.least(f"gzip -dc {zipped} > /dev/null", bench.runs)
                rows.append({"kind": kind, "container": "`gzip -dc`, no more", "threads": 1} | totals | inspected)
                zipped.unlink()
            capture.unlink()
    return rows


def markdown(result: dict, picture: str) -> str:
    machine = result["machine"]
    text = [
        f"# How the cost grows, {result['date']}\n",
        f"- commit `{result['commit']}`, {result['toolchain']}, release build, {result['binary_bytes'] / 1e6:.1f} MB",
        f"- machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}; "
        f"load average at the start {', '.join(map(str, machine['load_average']))}",
        f"- command: `{result['command']}`",
        "- one window of 600 s and one more where 300 s of packets reach into it; records to a file in memory; the least "
        "of the runs\n",
        f"![Processor time against packets and against flows]({picture})\n",
        f"Start-up: `convert` of one packet takes {1000 * result['start_up']['wall_s']:.1f} ms by the wall.\n",
    ]
    heads = ["packets", "flows", "threads", "s", "CPU s", "CPU ns/packet", "peak MiB"]

    def line(row: dict) -> list[str]:
        return [
            f"{row['packets']:,}",
            f"{row['flows']:,}",
            str(row["threads"]),
            f"{row['wall_s']:.3f}",
            f"{row.get('cpu_s', 0):.2f}",
            f"{1e9 * row.get('cpu_s', 0) / row['packets']:.1f}",
            f"{row.get('peak_mib', 0):.0f}",
        ]

    for name, title in (("mix", "Packets of `mix`"), ("small", "Packets of `small`"), ("flows", "Flows")):
        text += [f"## {title}\n", report.table(heads, [line(row) for row in result["growth"][name]])]
    text.append("## Containers\n")
    rows = [[row["kind"], row["container"], *line(row)] for row in result["containers"]]
    text.append(report.table(["capture", "container", *heads], rows))
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/flowtruth")
    parser.add_argument("--generator", type=Path, default=ROOT / "target/release/examples/generate-traffic")
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    options = parser.parse_args()

    def output_of(*command: str) -> str:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    changed = output_of("git", "status", "--porcelain", "--", "src", "Cargo.toml", "Cargo.lock")
    result = {
        "date": options.date,
        "commit": output_of("git", "rev-parse", "--short=12", "HEAD") + (" with changes" if changed else ""),
        "toolchain": output_of("rustc", "--version").rsplit(" (", 1)[0],
        "command": shlex.join(["benches/compare/growth.py", *sys.argv[1:]]),
        "machine": measure.machine(),
        "binary_bytes": options.binary.stat().st_size,
    }
    parent = measure.in_memory()
    with tempfile.TemporaryDirectory(dir=parent, prefix="flowtruth-bench-") as work_name:
        bench = Bench(Path(work_name), options.binary, options.generator, options.runs, options.scale)
        tiny = Path(work_name) / "tiny.pcap"
        subprocess.run([options.generator, "small", "--packets", "1", "--flows", "2", "-o", tiny], check=True, capture_output=True)
        result["start_up"] = bench.least(f"{options.binary} convert --quiet -o /dev/null {tiny}", 20)
        result["growth"] = growth(bench)
        result["containers"] = containers(bench)
    name = f"{options.date}-growth"
    page, key = options.output / f"{name}.md", "cpu_s" if measure.TIME else "wall_s"

    def curve(rows: list[dict], across: str) -> list[tuple[float, float]]:
        return [(row[across], row[key]) for row in rows if row["threads"] == 1]

    panels = [
        (
            "Packets",
            "packets",
            "processor time, s",
            {name: curve(result["growth"][name], "packets") for name in ("mix", "small")},
        ),
        (
            "Flows, in 10 M packets",
            "flows",
            "processor time, s",
            {"small": curve(result["growth"]["flows"], "flows")},
        ),
    ]
    options.output.mkdir(parents=True, exist_ok=True)
    page.with_suffix(".svg").write_text(plot.svg(panels))
    page.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    page.write_text(markdown(result, f"{name}.svg"))
    print(page)


if __name__ == "__main__":
    main()
