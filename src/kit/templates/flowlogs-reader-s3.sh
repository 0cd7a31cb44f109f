# flowlogs-reader 5: {{file_format}} objects below {{location}}/. Times are those in the objects' names, UTC.
# Fields that it does not know (newer than version 5) it leaves out.
flowlogs_reader --location-type s3 --region {{region}} \
  --start-time 'YYYY-MM-DD HH:MM:SS' --end-time 'YYYY-MM-DD HH:MM:SS' \
  --include-accounts {{account}} --include-regions {{region}} \
  '{{bucket_and_prefix}}' print
