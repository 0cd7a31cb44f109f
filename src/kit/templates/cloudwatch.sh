# CloudWatch Logs: the files of `flowtruth convert --layout cloudwatch -o DIR/`, put as events.
# Events that are older than 14 days are refused; `--rebase now-3600` gives them times that are not.
aws logs create-log-group --log-group-name {{log_group}}
for batch in DIR/*/*.json; do
  stream=$(jq -r .logStreamName "$batch")
  aws logs create-log-stream --log-group-name {{log_group}} --log-stream-name "$stream" 2>/dev/null || true
  aws logs put-log-events --cli-input-json "file://$batch" || exit
done

# Logs Insights, the fields of the log:
#   {{insights}}
# a metric filter's pattern:
#   [{{pattern}}]
