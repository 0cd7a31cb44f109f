-- Athena: {{file_format}} objects below {{location}}/.
-- Partitions are computed from the names of objects, so no partition has to be added. Narrow the range to the time that
-- the log has: each query without a condition on {{partition_names}} looks at all of it.
CREATE EXTERNAL TABLE IF NOT EXISTS vpc_flow_logs (
{{columns}}
)
PARTITIONED BY ({{partitions}})
{{row_format}}
LOCATION '{{location}}/{{objects}}/'
TBLPROPERTIES (
{{properties}}
);
