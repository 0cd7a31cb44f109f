-- DuckDB: {{what}} as a view with a column for each field; what is missing is NULL.
CREATE OR REPLACE VIEW vpc_flow_logs AS
{{select}};

SELECT count(*) AS records{{sums}} FROM vpc_flow_logs;
