#!/usr/bin/env python3
"""Measures `flowtruth report` beside `convert` of the same packets.

    benches/compare/report.py [--runs 5] [--scale 1] [--binary target/release/flowtruth] [--threads 2]

Generates 10 million packets of 100 thousand flows; lets the two take turns and prints medians, processor time, memory, the
ratio and the page's size. Installs nothing and writes nothing that stays. The aim is a ratio of at most 1.5.
"""

import argparse
import shlex
import statistics
import tempfile
from pathlib import Path

import measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--interval", default="600")
    parser.add_argument("--binary", default=str(measure.ROOT / "target/release/flowtruth"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=measure.in_memory()) as work_name:
        work = Path(work_name)
        capture = measure.small_capture(work, options.scale)
        page = work / "report.html"
        common = f"--quiet --threads {options.threads} --max-aggregation-interval {options.interval} {capture}"
        program = shlex.quote(options.binary)
        contenders = {
            "convert": f"{program} convert {common} -o {work}/records.txt",
            "report": f"{program} report {common} -o {page}",
        }
        measured = {name: [] for name in contenders}
        for _ in range(options.runs):
            for name, command in contenders.items():
                taken = measure.run(command, work)
                measured[name].append([taken["wall_s"], taken.get("cpu_s", 0), taken.get("peak_mib", 0)])
        medians = {name: [statistics.median(column) for column in zip(*runs)] for name, runs in measured.items()}
        print(f"{options.threads} threads, windows of {options.interval} s, {options.runs} runs, medians; "
              f"the page has {page.stat().st_size:,} bytes")
        for name, (seconds, processor, memory) in medians.items():
            print(f"{name:8} {seconds:6.2f} s  {processor:6.2f} s of processors  {memory:6.0f} MiB")
        ratios = [medians["report"][at] / (medians["convert"][at] or 1) for at in (0, 1)]
        print(f"ratio    {ratios[0]:6.2f}    {ratios[1]:6.2f}")


if __name__ == "__main__":
    main()
