"""Runs a command once and says what it took."""

import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

# forks the command from a small process: a process that is started keeps the peak memory of the one that started it
TIME = shutil.which("time")
LONGEST = 600
ROOT = Path(__file__).resolve().parents[2]


def build() -> Path:
    """Builds the program and the generator; returns the latter."""
    build = ["cargo", "build", "--release", "--bin", "flowtruth", "--example", "generate-traffic"]
    subprocess.run(build, cwd=ROOT, check=True)
    return ROOT / "target/release/examples/generate-traffic"


def small_capture(work: Path, scale: float) -> Path:
    """Builds everything, and generates `small`: 10 million packets of 64 bytes in 100 thousand flows, times the scale."""
    generator = build()
    capture = work / "small.pcap"
    size = [f"--packets={int(10_000_000 * scale)}", f"--flows={int(100_000 * scale)}"]
    subprocess.run([generator, "small", *size, "-o", capture], check=True, capture_output=True)
    return capture


def in_memory() -> str | None:
    """A folder in memory, if there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def run(command: str, work: Path, status: int = 0) -> dict:
    """Seconds by the wall and of the processor, peak memory in MiB, and the output."""
    usage = work / "usage"
    measured = [TIME, "-f", "%U %S %M", "-o", str(usage)] if TIME else []
    begin = time.perf_counter()
    done = subprocess.run(
        [*measured, "sh", "-c", command], capture_output=True, text=True, errors="replace", timeout=LONGEST
    )
    wall = time.perf_counter() - begin
    if done.returncode != status:
        raise RuntimeError(f"`{command}` ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    result = {"wall_s": wall, "output": done.stdout + done.stderr}
    if TIME:
        user, system, peak = usage.read_text().split()[-3:]
        result |= {"cpu_s": float(user) + float(system), "peak_mib": int(peak) / 1024}
    return result


def turns(contenders: dict[str, str], runs: int, work: Path) -> None:
    """Lets two commands take turns; prints medians, processor time, memory, and what the second takes of the first."""
    measured = {name: [] for name in contenders}
    for _ in range(runs):
        for name, command in contenders.items():
            taken = run(command, work)
            measured[name].append([taken["wall_s"], taken.get("cpu_s", 0), taken.get("peak_mib", 0)])
    medians = {name: [statistics.median(column) for column in zip(*taken)] for name, taken in measured.items()}
    for name, (seconds, processor, memory) in medians.items():
        print(f"{name:14} {seconds:6.2f} s  {processor:6.2f} s of processors  {memory:6.0f} MiB")
    first, second = medians.values()
    ratios = [second[at] / (first[at] or 1) for at in (0, 1)]
    print(f"ratio          {ratios[0]:6.2f}    {ratios[1]:6.2f}")


def machine() -> dict:
    """What the figures were measured on, without names."""
    cpu = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        cpu = models[0] if models else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = os.uname()
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{system.sysname} {system.release.split('-')[0]} {system.machine}",
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }
