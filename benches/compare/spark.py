#!/usr/bin/env python3
"""Measures `flowtruth.spark` with one executor and with two, on many captures.

    benches/compare/spark.py [--files 96] [--names 5] [--packets 1000000] [--packets-a-row 100] [--runs 2]

Runs in an environment with `pyspark` and the package, built as `pip install ./python` builds it. Each executor is a process
with one core; both sessions are on the same machine as the driver, one after the other in turns, and what is timed is
from the captures' names to their records, in a session that has warmed up on each file once. Each file is there under several
names (hard links), so that memory holds many. The aim is a ratio of at least 1.4 on two processors, which the driver shares.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure


def session(executors: int, captures: str, warm: str, runs: int) -> None:
    """Prints the seconds of each run with so many executors."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    import flowtruth.spark

    builder = SparkSession.builder.master(f"local-cluster[{executors},1,1024]").appName("benchmark")
    for name, value in {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
    }.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")

    def once(paths: str) -> float:
        begin = time.perf_counter()
        flows = flowtruth.spark.flows(spark, paths)
        flows.write.format("noop").mode("overwrite").save()
        taken = time.perf_counter() - begin
        spark.catalog.clearCache()
        return taken

    once(warm)
    print(json.dumps([once(captures) for _ in range(runs)]))
    spark.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=96)
    parser.add_argument("--names", type=int, default=5, help="of each file")
    parser.add_argument("--packets", type=int, default=1_000_000, help="in each file")
    parser.add_argument("--packets-a-row", type=int, default=100)
    parser.add_argument("--runs", type=int, default=2, help="in each of two sessions")
    parser.add_argument("--session", nargs=3, metavar=("EXECUTORS", "CAPTURES", "WARM"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.session:
        executors, captures, warm = options.session
        session(int(executors), captures, warm, options.runs)
        return
    generator = measure.build()
    with tempfile.TemporaryDirectory(dir=measure.in_memory()) as work_name:
        work = Path(work_name)
        for folder in ("warm", "captures"):
            (work / folder).mkdir()
        size = [f"--packets={options.packets}", f"--flows={max(options.packets // options.packets_a_row, 1)}"]
        for number in range(options.files):
            capture = work / "warm" / f"{number:03}.pcap"
            command = [generator, "small", *size, f"--seed={number + 1}", "-o", capture]
            subprocess.run(command, check=True, capture_output=True)
            for name in range(options.names):
                (work / "captures" / f"{name}-{capture.name}").hardlink_to(capture)
        taken: dict[int, list[float]] = {1: [], 2: []}
        for executors in (1, 2, 1, 2):
            names = [str(executors), str(work / "captures"), str(work / "warm")]
            command = [sys.executable, __file__, "--runs", str(options.runs), "--session", *names]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            taken[executors] += json.loads(done.stdout.splitlines()[-1])
        medians = {executors: statistics.median(seconds) for executors, seconds in taken.items()}
        size = sum(file.stat().st_size for file in (work / "captures").iterdir())
        count = options.files * options.names
        print(f"{count} captures of {size / 1e6:.0f} MB, {2 * options.runs} runs, medians")
        for executors, seconds in taken.items():
            shown = ", ".join(f"{second:.1f}" for second in seconds)
            print(f"{executors} executor(s)  {medians[executors]:6.2f} s   ({shown})")
        print(f"ratio          {medians[1] / medians[2]:6.2f}")


if __name__ == "__main__":
    main()
