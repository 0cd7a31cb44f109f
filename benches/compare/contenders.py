"""Who is measured, and how each says how many packets it counted."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional


@dataclass
class Contender:
    """One command over one capture; `{capture}` and `{work}` in it are replaced."""

    name: str
    command: str
    # what it counted, from its standard output and error, and its working directory
    counted: Optional[Callable[[str, Path], dict]] = None
    # captures with more packets are left out: it would take minutes
    most_packets: Optional[int] = None
    # whether its packets are held against the capture's; other tools skip or cut what is theirs to skip
    is_ours: bool = False


def ledger(_text: str, work: Path) -> dict:
    total = json.loads((work / "ledger.json").read_text())["total"]
    skipped = sum(total["packets_skipped"].values())
    return {
        "packets": total["packets_in_records"] + skipped,
        "packets_in_records": total["packets_in_records"],
        "ip_bytes": total["ip_bytes_in_records"],
        "records": total["records"],
        "skipped": skipped,
    }


def packets_at(pattern: str) -> Callable[[str, Path], dict]:
    def find(text: str, _work: Path) -> dict:
        found = re.search(pattern, text)
        return {"packets": int(found.group(1))} if found else {}

    return find


def nfdump_totals(text: str, _work: Path) -> dict:
    found = re.search(r"Flows: (\d+), Packets: (\d+), Bytes: (\d+)", text)
    if not found:
        return {}
    return dict(zip(("records", "packets", "ip_bytes"), map(int, found.groups())))


def flowtruth(binary: Path, threads: list[int]) -> list[Contender]:
    """The program itself: each number of threads, with the usual interval and with the short one."""
    base = f"{binary} convert --quiet --ledger {{work}}/ledger.json -o {{work}}/records.txt"
    with_threads = [
        Contender(f"flowtruth --threads {n}", f"{base} --threads {n} {{capture}}", ledger, is_ours=True)
        for n in threads
    ]
    short = [
        Contender(
            f"flowtruth --threads {n}, 60 s",
            f"{base} --threads {n} --max-aggregation-interval 60 {{capture}}",
            ledger,
            is_ours=True,
        )
        for n in threads
    ]
    return with_threads + short


def peers() -> list[Contender]:
    """`cat`, and what is installed of the others."""
    every = [
        ("cat", Contender("cat", "cat {capture} > /dev/null")),
        (
            "capinfos",
            Contender(
                "capinfos -c -d -u",
                "capinfos -M -c -d -u {capture}",
                packets_at(r"Number of packets:\s+(\d+)"),
            ),
        ),
        (
            "tcpdump",
            Contender(
                "tcpdump --count", "tcpdump -n -r {capture} --count", packets_at(r"(\d+) packets?\b")
            ),
        ),
        (
            "nfpcapd",
            Contender(
                "nfpcapd",
                "rm -rf {work}/nf && mkdir {work}/nf && nfpcapd -r {capture} -l {work}/nf -t 600 2>&1",
                nfdump_totals,
            ),
        ),
        (
            "nfdump",
            Contender(
                "nfpcapd, then nfdump -o csv",
                "rm -rf {work}/nf && mkdir {work}/nf && nfpcapd -r {capture} -l {work}/nf -t 600 2>&1"
                " && nfdump -q -R {work}/nf -o csv > {work}/nfdump.csv",
                nfdump_totals,
            ),
        ),
        (
            "softflowd",
            Contender(
                "softflowd",
                "softflowd -r {capture} -d -m 200000 -p {work}/softflowd.pid 2>&1",
                packets_at(r"Packets processed: (\d+)"),
                most_packets=2_000_000,
            ),
        ),
        (
            "tshark",
            Contender(
                "tshark -z io,stat",
                "tshark -n -q -r {capture} -z io,stat,0",
                packets_at(r"<>\s*\S+\s*\|\s*(\d+)\s*\|"),
                most_packets=200_000,
            ),
        ),
    ]
    needed = {"nfdump": ["nfdump", "nfpcapd"]}
    return [
        contender
        for program, contender in every
        if all(shutil.which(name) for name in needed.get(program, [program]))
    ]


def missing_peers() -> list[str]:
    names = ["capinfos", "tcpdump", "tshark", "nfpcapd", "nfdump", "softflowd"]
    return [name for name in names if not shutil.which(name)]
