"""`s3://` addresses against moto's S3."""

import os
import pathlib
import subprocess
import tempfile

from traffic import CAPTURES, FLOWTRUTH, ROOT, Log, WithServer, flowtruth


class Addresses(WithServer):
    def upload(self, bucket, key, path):
        self.s3.upload_file(str(ROOT / path), bucket, key)
        return f"s3://{bucket}/{key}"

    def test_captures_are_read_and_logs_are_written_and_compared(self):
        bucket = self.bucket()
        for path in CAPTURES["mixed"]:
            self.upload(bucket, f"captures/{pathlib.Path(path).name}", path)
        log = Log(CAPTURES["mixed"], "v5")
        written = f"s3://{bucket}/out/flow.log.gz"
        flowtruth("convert", "-q", "--header", *log.options, f"s3://{bucket}/captures/", "-o", written, **self.settings)
        flowtruth("diff", "--strict", *log.captures_as("--reference"), "--candidate", written, **self.settings)
        flowtruth("diff", "--strict", "--reference", f"s3://{bucket}/captures", "--candidate", written,
                  **self.settings)
        body = self.s3.get_object(Bucket=bucket, Key="out/flow.log.gz")["Body"].read()
        self.assertTrue(body.startswith(b"\x1f\x8b"))

    def test_more_objects_than_a_page_are_listed(self):
        bucket = self.bucket()
        for number in range(1002):
            self.s3.put_object(Bucket=bucket, Key=f"many/{number:04}.txt", Body=b"x")
        self.upload(bucket, "many/zz.pcap", CAPTURES["default"][0])
        text = flowtruth("convert", "-q", f"s3://{bucket}/many", **self.settings)
        self.assertEqual(text, flowtruth("convert", "-q", *CAPTURES["default"]))

    def test_the_layout_is_the_same_as_in_a_directory_however_often_it_is_written(self):
        log = Log(CAPTURES["mixed"], "v5")
        bucket = self.bucket()
        with tempfile.TemporaryDirectory() as folder:
            for file_format in ("plain-text", "parquet", "json"):
                options = ["--layout", "s3", "--file-format", file_format]
                log.convert(*options, "-o", folder)
                for _ in range(2):
                    log.convert(*options, "-o", f"s3://{bucket}/", **self.settings)
            files = {str(path.relative_to(folder)): path.read_bytes()
                     for path in pathlib.Path(folder).rglob("*") if path.is_file()}
        objects = {key: self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in self.keys(bucket)}
        self.assertTrue(files)
        self.assertEqual(objects, files)

    def test_a_missing_bucket_is_told_and_nothing_is_written(self):
        for arguments in (["s3://no-such-bucket/x.pcap"], [*CAPTURES["default"], "-o", "s3://no-such-bucket/x.log"],
                          [*CAPTURES["default"], "--layout", "s3", "--account-id", "1", "--set", "region=r", "-o",
                           "s3://no-such-bucket"]):
            done = subprocess.run([FLOWTRUTH, "convert", *arguments], cwd=ROOT, capture_output=True, text=True,
                                  env=os.environ | self.settings)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("the bucket `no-such-bucket` does not exist", done.stderr)
            self.assertIn("hint: ", done.stderr)
