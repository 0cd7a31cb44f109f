"""Vector's remap language, with the snippet that `kit` prints."""

import unittest

import pyvrl

from traffic import CAPTURES, Log, flowtruth


class Snippet(unittest.TestCase):
    def check(self, log_format, captures):
        log = Log(captures, log_format)
        transform = pyvrl.Transform(flowtruth("kit", "vrl", "--log-format", log_format))
        self.assertTrue(log.lines)
        for line, record in zip(log.lines, log.records, strict=True):
            event = transform.remap({"message": line})
            del event["message"]
            self.assertEqual(event, record)

    def test_every_line_of_version_2(self):
        for captures in CAPTURES.values():
            self.check("v2", captures)

    def test_every_line_of_version_5(self):
        for captures in CAPTURES.values():
            self.check("v5", captures)

    def test_a_header_line_is_refused(self):
        transform = pyvrl.Transform(flowtruth("kit", "vrl"))
        header, *_ = flowtruth("convert", "-q", "--header", *CAPTURES["default"]).splitlines()
        with self.assertRaises(Exception):
            transform.remap({"message": header})
