#!/usr/bin/env python3
"""Measures `flowtruth convert` against `cat` and whatever else is installed, and writes a dated page of it.

    benches/compare/run.py [--captures small mix synflood] [--runs 5] [--threads 1 2] [--scale 1]

Generates the captures with `generate-traffic`, lets the contenders take turns, checks each run's totals against what
the generator says, and writes `docs/benchmarks/DATE.md` and `DATE.json`. Installs nothing. Needs Python 3.11 and cargo;
with GNU `time` it measures memory too, with valgrind instructions and allocations.
"""

import argparse
import datetime
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import checks
import contenders
import measure
import report

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"small": (10_000_000, 100_000), "mix": (1_700_000, 72_000), "synflood": (5_000_000, None)}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captures", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--runs", type=int, default=5, help="runs of each contender, at least")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--scale", type=float, default=1.0, help="so many times the usual packets and flows")
    parser.add_argument("--work", type=Path, help="where captures and output go; default /dev/shm where there is one")
    parser.add_argument("--only-flowtruth", action="store_true", help="measure no others than `cat` and `capinfos`")
    parser.add_argument("--no-checks", action="store_true", help="neither instructions nor memory")
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    return parser.parse_args()


def output_of(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def commit() -> str:
    """The commit measured; benchmarks and documents may differ from it."""
    changed = output_of("git", "status", "--porcelain", "--", "src", "Cargo.toml", "Cargo.lock")
    return output_of("git", "rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


def same(counted: dict, totals: dict, contender: contenders.Contender) -> None:
    """The program must count every packet and byte, and write a record for each flow where one window holds all."""
    if not contender.is_ours:
        return
    expected = {"packets_in_records": totals["packets"], "ip_bytes": totals["ip_bytes"], "skipped": 0}
    if "60 s" not in contender.name:
        expected["records"] = totals["flows"]
    wrong = {key: (counted.get(key), value) for key, value in expected.items() if counted.get(key) != value}
    if wrong:
        raise SystemExit(f"{contender.name} counted wrong (found, expected): {wrong}")


def same_in_records(records: Path, counted: dict) -> None:
    """The written lines add up to what the ledger says."""
    lines = packets = octets = 0
    with records.open() as file:
        for line in file:
            fields = line.split()
            lines, packets, octets = lines + 1, packets + int(fields[8]), octets + int(fields[9])
    if (lines, packets, octets) != (counted["records"], counted["packets_in_records"], counted["ip_bytes"]):
        raise SystemExit(f"{records} holds {lines} records of {packets} packets and {octets} bytes: {counted}")


def measure_capture(capture: Path, totals: dict, racers: list, runs: int, work: Path) -> list[dict]:
    """Every contender in turn, so many times."""
    measured = [{"name": racer.name, "command": racer.command, "runs": [], "counted": {}} for racer in racers]
    for turn in range(runs + 1):
        for racer, result in zip(racers, measured):
            command = racer.command.format(capture=shlex.quote(str(capture)), work=work)
            run = measure.run(command, work)
            result["counted"] = racer.counted(run.pop("output"), work) if racer.counted else {}
            same(result["counted"], totals, racer)
            if turn == 0:
                # the first turn warms up, and its records are added up
                if racer.is_ours:
                    same_in_records(work / "records.txt", result["counted"])
                continue
            run.pop("output", None)
            result["runs"].append(run)
            print(f"  {turn}/{runs} {racer.name}: {run['wall_s']:.3f} s", file=sys.stderr)
    return measured


def main() -> None:
    options = arguments()
    measure.build()
    metadata = json.loads(output_of("cargo", "metadata", "--no-deps", "--format-version", "1"))
    target = Path(metadata["target_directory"])
    binary, generator = target / "release" / "flowtruth", target / "release" / "examples" / "generate-traffic"
    memory_disk = Path("/dev/shm")
    parent = options.work or (memory_disk if memory_disk.is_dir() else Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(dir=parent, prefix="flowtruth-bench-") as work_name:
        work = Path(work_name)

        def generate(kind: str, more: str) -> tuple[Path, dict]:
            capture = work / f"{kind}.pcap"
            command = [generator, kind, *more.split(), "-o", capture]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            return capture, json.loads(done.stderr)

        others = contenders.peers()
        if options.only_flowtruth:
            others = [other for other in others if other.name.split()[0] in ("cat", "capinfos")]
        result = {
            "date": options.date,
            "commit": commit(),
            "toolchain": output_of("rustc", "--version").rsplit(" (", 1)[0],
            "command": shlex.join(["benches/compare/run.py", *sys.argv[1:]]),
            "machine": measure.machine(),
            "work": str(parent),
            "missing": contenders.missing_peers(),
            "captures": [],
        }
        for kind in options.captures:
            packets, flows = (int(size * options.scale) if size else None for size in SIZES[kind])
            more = f"--packets {packets}" + (f" --flows {flows}" if flows else "")
            capture, totals = generate(kind, more)
            print(f"{kind}: {totals}", file=sys.stderr)
            racers = [
                racer
                for racer in others + contenders.flowtruth(binary, options.threads)
                if racer.most_packets is None or packets <= racer.most_packets
            ]
            measured = measure_capture(capture, totals, racers, options.runs, work)
            for one in measured:
                one["command"] = one["command"].replace(str(binary), "flowtruth")
            result["captures"].append(
                {"name": kind, "arguments": f"{kind} {more}", "totals": totals, "measured": measured}
            )
            capture.unlink()
        result["checks"] = {"stages": checks.stages(target)}
        if not options.no_checks:
            result["checks"]["instructions"] = checks.instructions(binary, work, generate)
            result["checks"]["memory"] = checks.memory(binary, work, generate, options.scale)
    options.output.mkdir(parents=True, exist_ok=True)
    page = options.output / f"{options.date}.md"
    page.write_text(report.markdown(result))
    page.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    print(page)


if __name__ == "__main__":
    main()
