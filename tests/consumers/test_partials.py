"""Partial records in pyarrow and DuckDB: columns, sums, metadata, and the recipes of `docs/scale.md`."""

import ipaddress
import json
import re

import duckdb
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from test_tables import WithFolder
from traffic import CAPTURES, ROOT, flowtruth

COLUMNS = {
    "window_start_ns": "int64", "srcaddr": "fixed_size_binary[16]", "dstaddr": "fixed_size_binary[16]",
    "ip_version": "uint8", "srcport": "uint16", "dstport": "uint16", "protocol": "uint8", "packets": "uint64",
    "bytes": "uint64", "first_ns": "int64", "last_ns": "int64", "tcp_flags": "uint8", "raw_tcp_flags": "uint8",
    "flow_direction": "string", "icmp_type": "uint8", "icmp_code": "uint8", "observation_point": "string",
}
NULLABLE = {"window_start_ns", "flow_direction", "icmp_type", "icmp_code", "observation_point"}
FORMAT = "${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${tcp-flags}"
MIXED = CAPTURES["mixed"]


def text(octets, version):
    address = ipaddress.IPv6Address(octets)
    return str(address.ipv4_mapped if version == 4 else address)


def records():
    """What one conversion says, as lists of words."""
    lines = flowtruth("convert", "-q", "--allowed-lateness", 9000000000, "--log-format", FORMAT, *MIXED)
    return [line.split() for line in lines.splitlines()]


class Partials(WithFolder):
    def parts(self):
        (self.folder / "parts").mkdir()
        for number, capture in enumerate(MIXED):
            for name in (f"parts/{number}.parquet", f"{number}.arrow"):
                flowtruth("convert", "-q", "--partials", "--partial-keys", "icmp", "-o", self.folder / name, capture)

    def check(self, table, metadata, capture):
        self.assertEqual({field.name: str(field.type) for field in table.schema}, COLUMNS)
        self.assertEqual({field.name for field in table.schema if field.nullable}, NULLABLE)
        ledger = json.loads(metadata[b"flowtruth.ledger"])
        self.assertEqual(json.loads(metadata[b"flowtruth.captures"]), [capture])
        self.assertEqual(int(metadata[b"flowtruth.rows"]), table.num_rows)
        self.assertEqual(sum(table["packets"].to_pylist()), ledger["total"]["packets_in_records"])
        self.assertEqual(sum(table["bytes"].to_pylist()), ledger["total"]["ip_bytes_in_records"])
        return table.num_rows

    def test_both_forms_in_pyarrow(self):
        self.parts()
        rows = 0
        for number, capture in enumerate(MIXED):
            file = self.folder / f"parts/{number}.parquet"
            of_parquet = pyarrow.parquet.read_table(file)
            metadata = pyarrow.parquet.read_metadata(file).metadata
            self.check(of_parquet, metadata, capture)
            with open(self.folder / f"{number}.arrow", "rb") as stream:
                of_arrow = pyarrow.ipc.open_stream(stream).read_all()
                end = pyarrow.ipc.open_stream(stream)
                self.assertEqual(end.read_all().num_rows, 0)
                metadata = end.schema.metadata
                self.assertEqual(stream.read(), b"")
            rows += self.check(of_arrow, metadata, capture)
            self.assertEqual(of_arrow.to_pylist(), of_parquet.to_pylist())
        self.assertGreater(rows, 10)

    def test_the_recipes_in_duckdb(self):
        self.parts()
        page = (ROOT / "docs/scale.md").read_text()
        section = page.split("## DuckDB over the parts")[1].split("\n## ")[0]
        sums, talkers, unanswered = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
        database = duckdb.connect()

        def ask(sql):
            return database.execute(sql.replace("parts/", f"{self.folder}/parts/")).fetchall()

        expected = records()
        found = [
            [text(srcaddr, version), text(dstaddr, version), *map(str, [*ports, protocol, *counts]),
             str(flags) if protocol == 6 else "-"]
            for _, srcaddr, dstaddr, version, *ports, protocol, packets, bytes_, start, end, flags in ask(sums)
            for counts in [[packets, bytes_, start, end]]
        ]
        self.assertEqual(found, expected)

        sent = {}
        for srcaddr, _, _, _, _, packets, bytes_, *_ in expected:
            if "." in srcaddr:
                before = sent.get(srcaddr, (0, 0))
                sent[srcaddr] = (before[0] + int(packets), before[1] + int(bytes_))
        most = sorted(((a, p, b) for a, (p, b) in sent.items()), key=lambda row: (-row[2], row[0]))[:10]
        self.assertEqual(ask(talkers), most)

        found = ask(unanswered)
        self.assertTrue(found)
        for srcaddr, dstaddr, dstport, packets in found:
            syn = [record for record in expected if record[0] == srcaddr and record[1] == dstaddr
                   and record[3] == str(dstport) and record[9] == "2"]
            self.assertEqual(sum(int(record[5]) for record in syn), packets)
