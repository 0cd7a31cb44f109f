#!/usr/bin/env python3
"""Measures `flowtruth report` beside `convert` of the same packets.

    benches/compare/page.py [--runs 5] [--scale 1] [--binary target/release/flowtruth] [--threads 2]

Generates 10 million packets of 100 thousand flows; lets the two take turns and prints medians, processor time, memory, the
ratio and the page's size. Installs nothing and writes nothing that stays. The aim is a ratio of at most 1.5.
"""

import argparse
import shlex
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
        print(f"{options.threads} threads, windows of {options.interval} s, {options.runs} runs, medians")
        measure.turns(contenders, options.runs, work)
        print(f"the page has {page.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
