#!/usr/bin/env python3
"""What other tools make of one capture, told by `flowtruth diff`.

Each tool reads fixtures/captures/traffic/thirty-four.pcap, its output is written as flow log records, and the
report of `flowtruth diff` is held against what is known to be wrong with that tool. No part of the default tests: it
installs Debian packages (`nfdump`, `tshark`; it needs root or `sudo`) and, in an environment of its own under
`target/`, NFStream from PyPI. A tool that cannot be installed is named and left out.

    python3 tests/tools/run.py [--binary target/debug/flowtruth]

Ends with status 1 where a report is not what is expected.
"""

import argparse
import csv
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURE = ROOT / "fixtures/captures/traffic/thirty-four.pcap"
NFSTREAM = "nfstream==6.6.0"
PROTOCOLS = {"ICMP": 1, "TCP": 6, "UDP": 17}

# the causes that each tool's report must hold, and no other
EXPECTED = {
    # one packet where there were three fragments; type and code as ports; ACK and PSH in the flags
    "nfdump": {"reassembled", "icmp-ports", "raw-tcp-flags"},
    # conversations of TCP and UDP, counted in frames: no ICMP, and of a packet in fragments only the last frame, to
    # which no arithmetic leads
    "tshark": {"frame-bytes", "missing-record", "unexplained"},
    # frames too, and fragments but the first are dropped
    "nfstream": {"frame-bytes", "missing-record"},
}


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def install(package, program):
    """Whether a Debian package's program is there, or can be installed."""
    if shutil.which(program):
        return True
    apt = ["apt-get", "install", "-y", "--no-install-recommends", package]
    if os.geteuid() != 0:
        apt.insert(0, "sudo")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(apt, check=True, capture_output=True, env=environment)
    except (OSError, subprocess.CalledProcessError):
        return False
    return shutil.which(program) is not None


def record(src, dst, srcport, dstport, protocol, packets, size, start, end, flags="-"):
    return f"2 - - {src} {dst} {srcport} {dstport} {protocol} {packets} {size} {start} {end} ACCEPT OK {flags}"


def nfdump(directory):
    """nfpcapd's flows, as nfdump writes them in CSV."""
    if not install("nfdump", "nfpcapd"):
        return None
    run("nfpcapd", "-r", str(CAPTURE), "-w", str(directory))
    text = run("nfdump", "-R", str(directory), "-o", "csv", env={**os.environ, "TZ": "UTC"})
    lines = text.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("ts,"))
    rows = []
    for line in lines[head:]:
        if line.startswith("Summary"):
            break
        rows.append(line)
    records = []

    def second(text):
        time = datetime.datetime.strptime(text.split(".")[0], "%Y-%m-%d %H:%M:%S")
        return int(time.replace(tzinfo=datetime.timezone.utc).timestamp())

    letters = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}
    for row in csv.DictReader(rows):
        protocol = PROTOCOLS[row["pr"]]
        flags = sum(letters.get(letter, 0) for letter in row["flg"]) if protocol == 6 else "-"
        records.append(
            record(
                row["sa"], row["da"], row["sp"].split(".")[0], row["dp"].split(".")[0], protocol,
                row["ipkt"], row["ibyt"], second(row["ts"]), second(row["te"]), flags,
            )
        )
    return records


def tshark(_directory):
    """tshark's conversations: each frame's outermost IP and TCP or UDP header, and its length, summed up here as
    `-z conv` does, which gives no absolute times."""
    if not install("tshark", "tshark"):
        return None
    fields = ["frame.time_epoch", "frame.len", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport"]
    options = [part for field in fields for part in ("-e", field)]
    text = run("tshark", "-r", str(CAPTURE), "-T", "fields", "-E", "occurrence=f", "-Y", "tcp or udp", *options)
    flows = {}
    for line in text.splitlines():
        time, length, src, dst, *ports = line.split("\t")
        protocol, pair = (6, ports[:2]) if ports[0] and not ports[2] else (17, ports[2:])
        flow = flows.setdefault((src, dst, *pair, protocol), [0, 0, int(float(time)), 0])
        flow[0] += 1
        flow[1] += int(length)
        flow[3] = int(float(time))
    return [record(*key, *values) for key, values in flows.items()]


def nfstream(_directory):
    """NFStream's flows, either direction of each as a record."""
    environment = ROOT / "target/nfstream"
    python = environment / "bin/python"
    program = """
import sys
from nfstream import NFStreamer
for f in NFStreamer(source=sys.argv[1], statistical_analysis=True, accounting_mode=0, idle_timeout=600, active_timeout=6000):
    for way, a, ap, b, bp in (("src2dst", f.src_ip, f.src_port, f.dst_ip, f.dst_port), ("dst2src", f.dst_ip, f.dst_port, f.src_ip, f.src_port)):
        packets = getattr(f, f"{way}_packets")
        if packets:
            bits = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32}
            flags = sum(bit for name, bit in bits.items() if getattr(f, f"{way}_{name}_packets"))
            first, last = (int(getattr(f, f"{way}_{end}_seen_ms")) // 1000 for end in ("first", "last"))
            print(a, b, ap, bp, f.protocol, packets, getattr(f, f"{way}_bytes"), first, last, flags if f.protocol == 6 else "-")
"""
    try:
        if not python.exists():
            run(sys.executable, "-m", "venv", str(environment))
            run(str(python), "-m", "pip", "install", "--quiet", NFSTREAM)
        text = run(str(python), "-c", program, str(CAPTURE))
    except (OSError, subprocess.CalledProcessError) as error:
        print("nfstream:", getattr(error, "stderr", error), file=sys.stderr)
        return None
    return [record(*line.split()) for line in text.splitlines() if line.split()[4] in ("1", "6", "17")]


FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status} ${tcp-flags}"
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "target/debug/flowtruth"))
    parser.add_argument("--tool", action="append", choices=sorted(EXPECTED))
    arguments = parser.parse_args()
    unexpected = 0
    for name, tool in (("nfdump", nfdump), ("tshark", tshark), ("nfstream", nfstream)):
        if arguments.tool and name not in arguments.tool:
            continue
        with tempfile.TemporaryDirectory() as directory:
            log = pathlib.Path(directory) / "records.log"
            flows = pathlib.Path(directory) / "flows"
            flows.mkdir()
            records = tool(flows)
            if records is None:
                print(f"{name}: not installed, left out")
                continue
            log.write_text("\n".join(records) + "\n")
            command = [arguments.binary, "diff", "--quiet", "--input-format", FORMAT, str(CAPTURE), str(log)]
            page = subprocess.run(command, capture_output=True, text=True)
            report = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True).stdout)
        causes = set(report["causes"])
        verdict = "as expected" if causes == EXPECTED[name] else f"expected {sorted(EXPECTED[name])}"
        unexpected += causes != EXPECTED[name]
        print(f"== {name}: {report['verdict']}, {report['causes']}: {verdict}")
        print(page.stdout, page.stderr, sep="")
    sys.exit(1 if unexpected else 0)


if __name__ == "__main__":
    main()
