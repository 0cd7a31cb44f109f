# flowlogs-reader 5: the events of a log group in CloudWatch Logs, UTC.
flowlogs_reader --location-type cwl --region {{region}} \
  --start-time 'YYYY-MM-DD HH:MM:SS' --end-time 'YYYY-MM-DD HH:MM:SS' \
  --fields '{{fields}}' \
  '{{log_group}}' print
