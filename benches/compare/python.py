#!/usr/bin/env python3
"""Measures `flowtruth.partials()` in Python beside `convert --partials` of the same packets to an Arrow stream.

    benches/compare/python.py --python PYTHON [--runs 5] [--scale 1] [--binary target/release/flowtruth] [--threads 2]

PYTHON is an interpreter with the package, built in release (`pip install ./python`). Generates 10 million packets of 100
thousand flows; lets the program and Python take turns, and prints medians and ratios to the program: of the call alone, as one
of many in a process has it, and of the whole process, which starts Python and imports pyarrow too. Python either reads all
batches or writes them to a stream as the program does. Installs nothing and writes nothing that stays.
"""

import argparse
import shlex
import shutil
import statistics
import tempfile
from pathlib import Path

import measure

READ = """
import time, flowtruth
begin = time.perf_counter()
reader = flowtruth.partials({capture!r}, interval={interval!r}, threads={threads})
rows = sum(batch.num_rows for batch in reader)
print(rows, time.perf_counter() - begin)
"""
WRITE = """
import time, flowtruth, pyarrow
begin = time.perf_counter()
rows = 0
reader = flowtruth.partials({capture!r}, interval={interval!r}, threads={threads})
with pyarrow.ipc.new_stream({output!r}, reader.schema) as writer:
    for batch in reader:
        writer.write_batch(batch)
        rows += batch.num_rows
print(rows, time.perf_counter() - begin)
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
    # it is run from another folder
    interpreter = Path(shutil.which(options.python) or options.python).absolute()
    with tempfile.TemporaryDirectory(dir=measure.in_memory()) as work_name:
        work = Path(work_name)
        capture = (options.capture or measure.small_capture(work, options.scale)).resolve()
        common = f"--quiet --threads {options.threads} --max-aggregation-interval {options.interval} {capture}"
        given = {"capture": str(capture), "interval": options.interval, "threads": options.threads}

        def python(script: str) -> str:
            text = script.format(**given, output=f"{work}/python.arrow")
            # from a folder without a source of the package
            return f"cd {work} && {shlex.quote(str(interpreter))} -c {shlex.quote(text)}"

        commands = {
            "convert": f"{shlex.quote(options.binary)} convert --partials {common} -o {work}/program.arrow",
            "read": python(READ),
            "read and write": python(WRITE),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        rows = set()
        for _ in range(options.runs):
            for name, command in commands.items():
                result = measure.run(command, work)
                if name == "convert":
                    call = result["wall_s"]
                else:
                    counted, call = result["output"].split()
                    rows.add(counted)
                taken[name].append((float(call), result["wall_s"]))
        print(f"{options.threads} threads, windows of {options.interval} s, {options.runs} runs, medians")
        print(f"{' or '.join(sorted(rows))} rows")
        medians = {name: [statistics.median(column) for column in zip(*times)] for name, times in taken.items()}
        program = medians["convert"][0]
        for name, (call, process) in medians.items():
            print(f"{name:14} call {call:6.2f} s, {call / program:5.2f}    process {process:6.2f} s, {process / program:5.2f}")


if __name__ == "__main__":
    main()
