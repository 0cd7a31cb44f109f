#!/usr/bin/env python3
"""Measures `flowtruth diff` of 10 million packets against 1 million records, beside `convert` of the same packets.

    benches/compare/diff.py [--runs 5] [--scale 1] [--binary target/release/flowtruth]

Generates the capture, converts it once into the log, and lets the contenders take turns: `convert`, `diff` where all
agrees, and `diff` where 100 records are gone, so that the capture is read a second time. Prints a table of medians and
of their ratios to `convert`; installs nothing and writes nothing that stays. Needs GNU `time` for the memory.
"""

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--binary", default=str(measure.ROOT / "target/release/flowtruth"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=measure.in_memory()) as work_name:
        work = Path(work_name)
        capture = measure.small_capture(work, options.scale)
        log, gapped = work / "flow.log", work / "gapped.log"
        convert = [options.binary, "convert", "--quiet", "--max-aggregation-interval", "30", "-o"]
        subprocess.run([*convert, log, capture], check=True)
        lines = log.read_bytes().splitlines(keepends=True)
        # a step that meets another flow in every window
        step = max(len(lines) // 100, 1) + 7
        is_gone = lambda number: number % step == step // 2
        gapped.write_bytes(b"".join(line for number, line in enumerate(lines) if not is_gone(number)))
        records, gone = len(lines), sum(map(is_gone, range(len(lines))))
        lost_packets = sum(int(line.split()[8]) for number, line in enumerate(lines) if is_gone(number))
        del lines
        diff = [options.binary, "diff", "--quiet", "--json"]
        verdicts = [json.loads(subprocess.run([*diff, capture, other], capture_output=True).stdout) for other in (log, gapped)]
        assert verdicts[0]["verdict"] == "same" and verdicts[0]["matched"] == records, verdicts[0]
        assert list(verdicts[1]["causes"]) == ["missing-record"], verdicts[1]["causes"]
        assert sum(one["reference"]["packets"] for one in verdicts[1]["differences"]) == lost_packets
        contenders = {
            "convert": ([*convert, work / "again.log", capture], 0),
            "diff, all agrees": ([*diff, capture, log], 0),
            f"diff, {gone} records are gone": ([*diff, capture, gapped], 1),
        }
        measured = {name: [] for name in contenders}
        for turn in range(options.runs + 1):
            for name, (command, status) in contenders.items():
                taken = measure.run(f"{shlex.join(map(str, command))} > /dev/null", work, status)
                if turn > 0:
                    measured[name].append((taken["wall_s"], taken.get("peak_mib")))
                    print(f"  {turn}/{options.runs} {name}: {taken['wall_s']:.3f} s", file=sys.stderr)
        print(f"{records} records, {log.stat().st_size / 1e6:.0f} MB of text\n")
        print("| | median s | times `convert` | runs, s | peak memory, MiB |")
        print("|---|---|---|---|---|")
        base = statistics.median(seconds for seconds, _ in measured["convert"])
        for name, runs in measured.items():
            median = statistics.median(seconds for seconds, _ in runs)
            peak = max((peak for _, peak in runs if peak), default=0)
            each = ", ".join(f"{seconds:.2f}" for seconds, _ in runs)
            print(f"| {name} | {median:.2f} | {median / base:.2f} | {each} | {peak:.0f} |")


if __name__ == "__main__":
    main()
