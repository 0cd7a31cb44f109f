#!/usr/bin/env python3
"""Measures `convert --partials` and `merge` beside `convert` of the same packets.

    benches/compare/partials.py [--runs 5] [--scale 1] [--binary target/release/flowtruth] [--baseline BINARY] [--threads 2]

Generates 10 million packets of 100 thousand flows; lets pairs of commands take turns and prints medians, processor time,
memory and ratios. With `--baseline`, another build's `convert` is the first pair's first. Installs nothing and writes nothing
that stays.
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
    parser.add_argument("--interval", default="60")
    parser.add_argument("--binary", default=str(measure.ROOT / "target/release/flowtruth"))
    parser.add_argument("--baseline")
    parser.add_argument("--capture", type=Path, help="measure this capture, and build nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=measure.in_memory()) as work_name:
        work = Path(work_name)
        capture = options.capture or measure.small_capture(work, options.scale)
        common = f"--quiet --threads {options.threads} --max-aggregation-interval {options.interval} {capture}"
        program = shlex.quote(options.binary)
        convert = f"{program} convert {common} -o {work}/records.log"
        pairs = []
        if options.baseline:
            before = f"{shlex.quote(options.baseline)} convert {common} -o {work}/records.log"
            pairs.append({"convert before": before, "convert": convert})
        for form in ("parquet", "arrow"):
            part = work / f"part.{form}"
            partials = f"{program} convert --partials {common} -o {part}"
            merge = f"{program} merge --quiet --threads {options.threads} {part} -o {work}/merged.log"
            pairs += [{"convert": convert, f"to {form}": partials}, {"convert": convert, f"merge {form}": merge}]
        print(f"{options.threads} threads, windows of {options.interval} s, {options.runs} runs, medians")
        for pair in pairs:
            measure.turns(pair, options.runs, work)
        same = (work / "records.log").read_bytes() == (work / "merged.log").read_bytes()
        sizes = ", ".join(
            f"{name} {(work / name).stat().st_size:,} bytes" for name in ("records.log", "part.parquet", "part.arrow")
        )
        print(f"{sizes}; the merged log is {'the same' if same else 'ANOTHER'}")


if __name__ == "__main__":
    main()
