"""What does not depend on the machine's mood: instructions, allocations, and what peak memory goes with."""

import json
import re
import shutil
from pathlib import Path
from typing import Callable, Optional

import measure

Generate = Callable[..., tuple[Path, dict]]
CONVERT = "convert --quiet --threads 1 -o /dev/null"


def instructions(binary: Path, work: Path, generate: Generate) -> Optional[dict]:
    """Instructions for a packet, and whether packets allocate: 200,000 and 400,000 packets of the same flows."""
    if not shutil.which("valgrind"):
        return None
    counts = []
    for packets in (200_000, 400_000):
        capture, totals = generate("small", f"--packets {packets} --flows 10000")
        profile = work / f"callgrind.{packets}"
        counted = measure.run(
            f"valgrind --tool=callgrind --callgrind-out-file={profile} {binary} {CONVERT} {capture}", work
        )
        checked = measure.run(f"valgrind --tool=memcheck --leak-check=no {binary} {CONVERT} {capture}", work)
        heap = re.search(r"total heap usage: ([\d,]+) allocs, [\d,]+ frees, ([\d,]+) bytes", checked["output"])
        executed = re.search(r"Collected\s*:\s*(\d+)", counted["output"])
        if not heap or not executed:
            raise RuntimeError("valgrind's output was not understood")
        allocations, allocated = (int(number.replace(",", "")) for number in heap.groups())
        counts.append(
            {
                "packets": packets,
                "flows": totals["flows"],
                "instructions": int(executed.group(1)),
                "allocations": allocations,
                "allocated_bytes": allocated,
            }
        )
        capture.unlink()
    less, more = counts
    per_packet = (more["instructions"] - less["instructions"]) / (more["packets"] - less["packets"])
    return {"runs": counts, "instructions_per_further_packet": round(per_packet, 1)}


def memory(binary: Path, work: Path, generate: Generate, scale: float) -> Optional[list[dict]]:
    """Peak memory for one, two and four times the packets of the same flows, and for four times the flows."""
    if not measure.TIME:
        return None
    packets = int(2_500_000 * scale)
    rows = []
    for times, flows in ((1, 100_000), (2, 100_000), (4, 100_000), (4, 400_000)):
        capture, totals = generate("small", f"--packets {packets * times} --flows {flows}")
        for threads in (1, 2):
            ledger = work / "ledger.json"
            command = f"{binary} convert --quiet --threads {threads} --ledger {ledger} -o /dev/null {capture}"
            peak = max(measure.run(command, work)["peak_mib"] for _ in range(3))
            if json.loads(ledger.read_text())["total"]["records"] != totals["flows"]:
                raise RuntimeError(f"`{command}` wrote another number of records than there are flows")
            rows.append({"threads": threads, "peak_mib": round(peak, 1)} | totals)
        capture.unlink()
    return rows


def stages(target: Path) -> list[dict]:
    """Criterion's last results, nanoseconds for an element."""
    rows = []
    for found in sorted(target.glob("criterion/**/new/estimates.json")):
        benchmark = json.loads(found.with_name("benchmark.json").read_text())
        elements = (benchmark.get("throughput") or {}).get("Elements")
        median = json.loads(found.read_text())["median"]
        if elements:
            interval = median["confidence_interval"]
            bounds = (median["point_estimate"], interval["lower_bound"], interval["upper_bound"])
            nanoseconds = [round(bound / elements, 2) for bound in bounds]
            rows.append({"benchmark": benchmark["full_id"], "elements": elements, "nanoseconds": nanoseconds})
    return rows
