//! OCSF events of network activity (class 4001), as Security Lake stores VPC flow logs, back into AWS's fields.
//!
//! Source: the mapping that AWS publishes for Security Lake (`ocsf-schema` examples, VPC flow logs) and OCSF 1.x,
//! "Network Activity". `pkt-srcaddr` is `src_endpoint.ip` and `srcaddr` the first of `intermediate_ips` where there is
//! one; what is of the interface stands at the endpoint that is it. Fields without a place of their own are read from
//! `unmapped`.

use serde_json::Value as Json;

use super::columns::field_named;
use super::members::{Members, NamedText, text};

/// The class of network activity.
const NETWORK_ACTIVITY: u64 = 4001;

/// `boundary_id` is so much more than `traffic-path`.
const BOUNDARY_OFFSET: u64 = 3;

/// Paths whose value is a field's as it is; of several the first that has one.
const AS_IT_IS: &[(&str, &[&[&str]])] = &[
    ("version", &[&["metadata", "product", "version"]]),
    ("account-id", &[&["cloud", "account", "uid"], &["cloud", "account_uid"], &["accountid"]]),
    ("region", &[&["cloud", "region"], &["region"]]),
    ("az-id", &[&["cloud", "zone"]]),
    ("srcport", &[&["src_endpoint", "port"]]),
    ("dstport", &[&["dst_endpoint", "port"]]),
    ("protocol", &[&["connection_info", "protocol_num"]]),
    ("packets", &[&["traffic", "packets"]]),
    ("bytes", &[&["traffic", "bytes"]]),
    ("tcp-flags", &[&["connection_info", "tcp_flags"]]),
    ("log-status", &[&["status_code"]]),
    ("interface-id", &[&["src_endpoint", "interface_uid"], &["dst_endpoint", "interface_uid"]]),
    ("vpc-id", &[&["src_endpoint", "vpc_uid"], &["dst_endpoint", "vpc_uid"]]),
    ("subnet-id", &[&["src_endpoint", "subnet_uid"], &["dst_endpoint", "subnet_uid"]]),
    ("instance-id", &[&["src_endpoint", "instance_uid"], &["dst_endpoint", "instance_uid"]]),
    ("pkt-src-aws-service", &[&["src_endpoint", "svc_name"]]),
    ("pkt-dst-aws-service", &[&["dst_endpoint", "svc_name"]]),
];

/// The record of an event, if the object is one.
pub(super) fn record(event: &Members) -> Option<Vec<NamedText>> {
    if event.at(&["class_uid"])?.as_u64()? != NETWORK_ACTIVITY {
        return None;
    }
    let mut record: Vec<NamedText> = Vec::new();
    let mut add = |name: &str, text: Option<String>| record.push((name.to_owned(), text));
    for (name, paths) in AS_IT_IS {
        let mut values = paths.iter().filter_map(|path| event.at(path)).peekable();
        if values.peek().is_some() {
            add(name, values.find_map(text));
        }
    }
    for (end, addr, pkt_addr) in
        [("src_endpoint", "srcaddr", "pkt-srcaddr"), ("dst_endpoint", "dstaddr", "pkt-dstaddr")]
    {
        let own = event.at(&[end, "ip"]).and_then(text);
        let intermediate = event.at(&[end, "intermediate_ips"]).and_then(Json::as_array);
        let intermediate = intermediate.and_then(|ips| ips.iter().find_map(text));
        add(addr, intermediate.or_else(|| own.clone()));
        add(pkt_addr, own);
    }
    add("start", seconds(event, &["start_time", "start_time_dt", "time", "time_dt"]));
    add("end", seconds(event, &["end_time", "end_time_dt"]));
    if let Some(action) = action(event) {
        add("action", Some(action.to_owned()));
    }
    let number = |path: &[&str]| event.at(path).and_then(Json::as_u64);
    if let Some(direction) = number(&["connection_info", "direction_id"]) {
        add("flow-direction", word(direction, ["ingress", "egress"]));
    }
    if let Some(boundary) = number(&["connection_info", "boundary_id"]) {
        let path = boundary.checked_sub(BOUNDARY_OFFSET).filter(|path| (1..=8).contains(path));
        add("traffic-path", path.map(|path| path.to_string()));
    }
    if let Some(kind) = kind(event) {
        add("type", Some(kind));
    }
    for (name, value) in unmapped(event) {
        let spelled = field_named(name).map(|field| field.name());
        if let Some(spelled) = spelled
            && !record.iter().any(|(known, _)| known == spelled)
        {
            record.push((spelled.to_owned(), text(value)));
        }
    }
    Some(record)
}

/// The first or the second word for 1 or 2.
fn word(id: u64, words: [&str; 2]) -> Option<String> {
    let index = usize::try_from(id).ok()?.checked_sub(1)?;
    words.get(index).map(|word| (*word).to_owned())
}

/// The kind of traffic: by its number, or by a text that names it, in full or as AWS does.
fn kind(event: &Members) -> Option<String> {
    match event.at(&["connection_info", "protocol_ver_id"]).and_then(Json::as_u64) {
        Some(4) => return Some("IPv4".to_owned()),
        Some(6) => return Some("IPv6".to_owned()),
        _ => {}
    }
    let said = event.at(&["connection_info", "protocol_ver"]).and_then(text)?;
    let known = ["IPv4", "IPv6", "EFA"].into_iter().find(|word| said.contains(word));
    Some(known.map_or(said, str::to_owned))
}

/// Whether the traffic was let through, by whichever of its names says so.
fn action(event: &Members) -> Option<&'static str> {
    if let Some("NODATA" | "SKIPDATA") = event.at(&["status_code"]).and_then(Json::as_str) {
        return None;
    }
    for name in ["action_id", "disposition_id"] {
        match event.at(&[name]).and_then(Json::as_u64) {
            Some(1) => return Some("ACCEPT"),
            Some(2) => return Some("REJECT"),
            _ => {}
        }
    }
    for name in ["action", "disposition"] {
        match event.at(&[name]).and_then(Json::as_str) {
            Some("Allowed") => return Some("ACCEPT"),
            Some("Denied" | "Blocked") => return Some("REJECT"),
            _ => {}
        }
    }
    // before OCSF had actions: Traffic and Refuse
    match event.at(&["activity_id"]).and_then(Json::as_u64) {
        Some(6) => Some("ACCEPT"),
        Some(5) => Some("REJECT"),
        _ => None,
    }
}

/// The first of these times, in whole seconds: numbers are milliseconds, texts RFC 3339. What cannot be read stays.
fn seconds(event: &Members, names: &[&str]) -> Option<String> {
    let value = names.iter().filter_map(|name| event.at(&[name])).find(|value| !value.is_null())?;
    if let Some(millis) = value.as_i64() {
        return Some(millis.div_euclid(1000).to_string());
    }
    let text = text(value)?;
    // Athena prints a time with a space
    let time = super::tail::iso_time(&text.replacen(' ', "T", 1).replace(" UTC", "Z"));
    Some(time.map_or(text, |millis| millis.div_euclid(1000).to_string()))
}

/// What has no place: an object, or a list of pairs.
fn unmapped(event: &Members) -> Vec<(&str, &Json)> {
    match event.at(&["unmapped"]) {
        Some(Json::Object(members)) => members.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        Some(Json::Array(pairs)) => {
            pairs.iter().filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?))).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let members: Members = serde_json::from_str(json).unwrap();
        let show = |(name, text): NamedText| format!("{name}={}", text.as_deref().unwrap_or("-"));
        record(&members).map(|record| record.into_iter().map(show).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn an_event_is_read_back() {
        let event = r#"{"class_uid":4001,"activity_id":6,"action_id":1,"metadata":{"product":{"version":"5"}},
            "cloud":{"account":{"uid":"123456789012"},"region":"eu-central-1","zone":"euc1-az1"},
            "src_endpoint":{"ip":"203.0.113.9","intermediate_ips":["10.0.0.220"],"port":443,"svc_name":"-"},
            "dst_endpoint":{"ip":"10.0.1.5","port":50000,"interface_uid":"eni-1","vpc_uid":"vpc-1"},
            "connection_info":{"protocol_num":6,"tcp_flags":19,"direction_id":1,"boundary_id":99,"protocol_ver":"IPv4"},
            "traffic":{"packets":3,"bytes":180},"start_time":1616729292999,"end_time_dt":"2021-03-26T03:29:09Z",
            "status_code":"OK","unmapped":[["sublocation_type","-"],["reject-reason","BPA"],["srcaddr","x"],[1]]}"#;
        assert_eq!(
            read(event).unwrap(),
            "version=5 account-id=123456789012 region=eu-central-1 az-id=euc1-az1 srcport=443 dstport=50000 \
             protocol=6 packets=3 bytes=180 tcp-flags=19 log-status=OK interface-id=eni-1 vpc-id=vpc-1 \
             pkt-src-aws-service=- srcaddr=10.0.0.220 pkt-srcaddr=203.0.113.9 dstaddr=10.0.1.5 \
             pkt-dstaddr=10.0.1.5 start=1616729292 end=1616729349 action=ACCEPT flow-direction=ingress \
             traffic-path=- type=IPv4 sublocation-type=- reject-reason=BPA"
        );
    }

    #[test]
    fn the_kind_of_traffic_is_told_by_its_number_or_by_its_name() {
        for (json, expected) in [
            (r#"{"protocol_ver_id":6}"#, "type=IPv6"),
            (r#"{"protocol_ver_id":4,"protocol_ver":"x"}"#, "type=IPv4"),
            (r#"{"protocol_ver":"Internet Protocol version 4 (IPv4)"}"#, "type=IPv4"),
            (r#"{"protocol_ver_id":99,"protocol_ver":"EFA"}"#, "type=EFA"),
            (r#"{"protocol_ver":"x"}"#, "type=x"),
        ] {
            let event = format!(r#"{{"class_uid":4001,"connection_info":{json}}}"#);
            assert!(read(&event).unwrap().ends_with(expected), "{json}");
        }
    }

    #[test]
    fn other_classes_are_no_records() {
        assert_eq!(read(r#"{"class_uid":4003,"src_endpoint":{"ip":"10.0.0.1"}}"#), None);
        assert_eq!(read(r#"{"src_endpoint":{"ip":"10.0.0.1"}}"#), None);
    }

    #[test]
    fn a_refusal_is_told_by_any_of_its_names() {
        for (json, expected) in [
            (r#"{"class_uid":4001,"action":"Denied"}"#, "action=REJECT"),
            (r#"{"class_uid":4001,"disposition":"Blocked"}"#, "action=REJECT"),
            (r#"{"class_uid":4001,"activity_id":5}"#, "action=REJECT"),
            (r#"{"class_uid":4001,"disposition_id":1,"activity_id":5}"#, "action=ACCEPT"),
            (r#"{"class_uid":4001,"activity_id":6,"status_code":"NODATA"}"#, "end=-"),
        ] {
            assert!(read(json).unwrap().ends_with(expected), "{json}");
        }
    }
}
