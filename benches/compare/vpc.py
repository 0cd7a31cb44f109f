#!/usr/bin/env python3
"""Measures `flowtruth convert --vpc` with 1,000 interfaces and 5,000 rules beside `convert` of the same packets.

    benches/compare/vpc.py [--runs 5] [--scale 1] [--binary target/release/flowtruth] [--threads 2]

Generates 10 million packets of 100 thousand flows and a VPC whose interfaces have all their senders, with groups of five
rules each; lets the two take turns and prints medians, processor time, memory and the ratio. Installs nothing and writes
nothing that stays. The aim is a ratio of at most 1.5.
"""

import argparse
import ipaddress
import json
import shlex
import tempfile
from pathlib import Path

import measure

INTERFACES = 1000
RULES = 5


def vpc() -> dict:
    """Interface N has the senders 10.0.0.0 + 128 N to + 128 N + 127, its group lets them out by the last of its rules."""
    interfaces, groups = [], []
    for number in range(INTERFACES):
        base = ipaddress.ip_address("10.0.0.0") + 128 * number
        group = f"sg-{number:017x}"
        interfaces.append({
            "NetworkInterfaceId": f"eni-{number:017x}",
            "OwnerId": "123456789012",
            "SubnetId": "subnet-1",
            "VpcId": "vpc-1",
            "PrivateIpAddress": str(base + 1),
            "Ipv4Prefixes": [{"Ipv4Prefix": f"{base}/25"}],
            "Groups": [{"GroupId": group}],
        })
        cidrs = [f"198.51.{number % 256}.0/24", "203.0.113.0/24", "192.0.2.0/24", "198.18.0.0/16", "198.18.0.0/15"]
        rule = lambda cidr: {"IpProtocol": "-1", "IpRanges": [{"CidrIp": cidr}]}
        groups.append({"GroupId": group, "IpPermissions": [], "IpPermissionsEgress": [rule(c) for c in cidrs[:RULES]]})
    allow = lambda egress: {
        "Egress": egress, "RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"
    }
    return {
        "NetworkInterfaces": interfaces,
        "SecurityGroups": groups,
        "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/8"}],
        "Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/8"}],
        "NetworkAcls": [{"NetworkAclId": "acl-1", "Associations": [{"SubnetId": "subnet-1"}],
                         "Entries": [allow(False), allow(True)]}],
        "RouteTables": [],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--binary", default=str(measure.ROOT / "target/release/flowtruth"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=measure.in_memory()) as work_name:
        work = Path(work_name)
        capture = measure.small_capture(work, options.scale)
        model, ledger = work / "vpc.json", work / "ledger.json"
        model.write_text(json.dumps(vpc()))
        plain = (
            f"{shlex.quote(options.binary)} convert --quiet --threads {options.threads} "
            f"-o {work}/records.txt {capture}"
        )
        contenders = {"convert": plain, "convert --vpc": f"{plain} --vpc {model}"}
        measure.run(f"{contenders['convert --vpc']} --ledger {ledger}", work)
        total = json.loads(ledger.read_text())["total"]
        if total["packets_of_no_known_interface"]:
            raise SystemExit(f"packets of no known interface: {total}")
        print(f"{total['packets_read']} packets, {total['records']} records, {INTERFACES} interfaces, "
              f"{INTERFACES * RULES} rules, {options.threads} threads, {options.runs} runs, medians")
        measure.turns(contenders, options.runs, work)


if __name__ == "__main__":
    main()
