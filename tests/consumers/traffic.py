"""The program under test, the logs it writes, and servers that stop by themselves."""

import json
import logging
import os
import pathlib
import subprocess
import tempfile
import unittest

import boto3
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FLOWTRUTH = os.environ["FLOWTRUTH"]
ACCOUNT, REGION, BUCKET = "123456789012", "us-east-1", "flow-logs"

#: What is converted: pings and fragments with port 0, IPv6, tunnels, and a log with what captures rarely have.
CAPTURES = {
    "default": ["fixtures/captures/seed.pcap"],
    "icmp": ["fixtures/captures/traffic/icmp.pcap"],
    #: all within an hour
    "short": ["fixtures/captures/traffic/thirty-four.pcap"],
    #: a log: port 0 and 0 bytes, no traffic at all, records that were skipped, numbers that a float cannot hold
    "extremes": ["tests/consumers/extremes.log"],
    "ipv6": ["fixtures/captures/aws/ipv6-ssh.pcap"],
    #: years apart
    "mixed": [
        "fixtures/captures/traffic/thirty-four.pcap",
        "fixtures/captures/traffic/windows.pcap",
        "fixtures/captures/aws/ipv6-ssh.pcap",
    ],
}

#: What the records of all logs share.
IDENTITY = [
    "--account-id", ACCOUNT, "--interface-id", "eni-0a1b2c3d4e5f60718",
    "--set", f"region={REGION}", "--set", "vpc-id=vpc-0a1b2c3d4e5f60718",
]


def flowtruth(*arguments, **settings):
    """Runs the program and gives what it printed."""
    done = subprocess.run([FLOWTRUTH, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | settings)
    if done.returncode != 0:
        raise AssertionError(f"flowtruth {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr}")
    return done.stdout


FIELDS = {field["name"]: field for field in json.loads(flowtruth("fields", "--json"))}
NUMBERS = {name for name, field in FIELDS.items() if field["type"] != "STRING"}


def column(name):
    return name.replace("-", "_")


class Log:
    """The records of some captures, in one format: as plain text tells them, which other tests hold to the packets."""

    def __init__(self, captures, log_format, *options):
        self.captures = [str(capture) for capture in captures]
        self.options = [*IDENTITY, "--log-format", log_format, *options]
        with tempfile.TemporaryDirectory() as folder:
            ledger = pathlib.Path(folder) / "ledger.json"
            text = flowtruth("convert", "-q", "--header", "--ledger", ledger, *self.options, *self.captures)
            self.ledger = json.loads(ledger.read_text())
        header, *self.lines = text.splitlines()
        self.names = header.split(" ")
        self.records = [
            {column(name): self.value(name, text) for name, text in zip(self.names, line.split(" "), strict=True)}
            for line in self.lines
        ]

    @staticmethod
    def value(name, text):
        if text == "-":
            return None
        return int(text) if name in NUMBERS else text

    def convert(self, *options, **settings):
        return flowtruth("convert", "-q", *self.options, *options, *self.captures, **settings)

    def captures_as(self, option):
        """The captures, each behind an option."""
        return [word for capture in self.captures for word in (option, capture)]

    def rows(self):
        return in_order(self.records)

    def totals(self):
        """Records, packets and bytes, as the ledger counts them."""
        if "logs" in self.ledger:
            return tuple(self.ledger[f"{what}_written"] for what in ("records", "packets", "bytes"))
        total = self.ledger["total"]
        return total["records"], total["packets_in_records"], total["ip_bytes_in_records"]


def in_order(records):
    """Records as tuples in an order of their own, so that two heaps of them can be compared."""
    rows = [tuple(sorted(record.items())) for record in records]
    return sorted(rows, key=repr)


class WithServer(unittest.TestCase):
    """A test with an S3 and CloudWatch Logs of its own on loopback, which ends with this process at the latest."""

    @classmethod
    def setUpClass(cls):
        cls.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        host, port = cls.server.get_host_and_port()
        cls.endpoint = f"http://{host}:{port}"
        cls.settings = {"AWS_ENDPOINT_URL": cls.endpoint}
        cls.s3 = boto3.client("s3", endpoint_url=cls.endpoint)
        cls.logs = boto3.client("logs", endpoint_url=cls.endpoint)

    def bucket(self):
        """A new bucket with a name of its own."""
        name = f"{BUCKET}-{self._testMethodName.replace('_', '-')}"[:63].strip("-").lower()
        self.s3.create_bucket(Bucket=name)
        return name

    def keys(self, bucket):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]
