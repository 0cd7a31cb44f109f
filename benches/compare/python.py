#!/usr/bin/env python3
"""Measures `flowtruth.partials()` in Python beside `convert --partials` of the same packets to an Arrow stream.

    benches/compare/python.py --python PYTHON [--runs 5] [--scale 1] [--binary target/release/flowtruth] [--threads 2]

PYTHON is an interpreter with the package, built in release (`pip install ./python`). Generates 10 million packets of 100
thousand flows; lets pairs of commands take turns and prints medians, processor time, memory and ratios. Python's seconds
include its start and the import of pyarrow, which the last pair has alone. Installs nothing and writes nothing that stays.
"""

import argparse
import shlex
import tempfile
from pathlib import Path

import measure

READ = """
import flowtruth
reader = flowtruth.partials({capture!r}, interval={interval!r}, threads={threads})
print(sum(batch.num_rows for batch in reader))
"""
WRITE = """
import flowtruth, pyarrow
reader = flowtruth.partials({capture!r}, interval={interval!r}, threads={threads})
with pyarrow.ipc.new_stream({output!r}, reader.schema) as writer:
    for batch in reader:
        writer.write_batch(batch)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", required=True, help="an interpreter with the package")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--interval", default="60")
    parser.add_argument("--binary", default=str(measure.ROOT / "target/release/flowtruth"))
    parser.add_argument("--capture", type=Path, help="measure this capture, and build nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=measure.in_memory()) as work_name:
        work = Path(work_name)
        capture = options.capture or measure.small_capture(work, options.scale)
        common = f"--quiet --threads {options.threads} --max-aggregation-interval {options.interval} {capture}"
        convert = f"{shlex.quote(options.binary)} convert --partials {common} -o {work}/program.arrow"
        given = {"capture": str(capture), "interval": options.interval, "threads": options.threads}

        def python(script: str) -> str:
            text = script.format(**given, output=f"{work}/python.arrow")
            # from a folder without a source of the package
            return f"cd {work} && {shlex.quote(options.python)} -c {shlex.quote(text)}"

        print(f"{options.threads} threads, windows of {options.interval} s, {options.runs} runs, medians")
        for name, script in {"read": READ, "read and write": WRITE}.items():
            measure.turns({"convert": convert, name: python(script)}, options.runs, work)
        measure.turns({"python": python("pass"), "import": python("import flowtruth")}, options.runs, work)


if __name__ == "__main__":
    main()
