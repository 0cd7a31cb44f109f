mod problems;

use super::*;
use crate::vpc::Vpc;

fn error(file: &str, text: &str) -> String {
    ModelBuilder::default().add(file, text).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_read_is_named_with_file_and_path() {
    for (text, message) in [
        (
            r#"{"Reservations": []}"#,
            "`a.json`: found `Reservations`, expected the output of `describe-network-interfaces`",
        ),
        ("{", "`a.json`: cannot be read as JSON: EOF while parsing an object at line 1 column 1"),
        ("[1]", "`a.json`: found a list, expected an object as the AWS CLI prints it"),
        (
            r#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "MacAddress": "02:00"}]}"#,
            "`a.json`, NetworkInterfaces[0].MacAddress: found `02:00`, expected a MAC address",
        ),
        (
            r#"{"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tpc"}]}]}"#,
            "`a.json`, SecurityGroups[0].IpPermissions[0].IpProtocol: `tpc` is not a protocol",
        ),
        (
            r#"{"NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": [{"RuleNumber": 1, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "10.0.0.1/8"}]}]}"#,
            "`a.json`, NetworkAcls[0].Entries[0].CidrBlock: `10.0.0.1/8` has bits behind its prefix",
        ),
        // taken for what it is not, or for nothing, before
        (
            r#"{"NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": [{"RuleNumber": 1, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 100, "To": 50}}]}]}"#,
            "`a.json`, NetworkAcls[0].Entries[0].PortRange: found the ports 100 to 50, expected the lower one first",
        ),
        (
            r#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "2001:db8::1"}]}"#,
            "`a.json`, NetworkInterfaces[0].PrivateIpAddress: found `2001:db8::1`, expected an IPv4 address",
        ),
        (
            r#"{"SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "-1"}]}]}"#,
            "`a.json`, SecurityGroups[0].IpPermissions[0]: expected `IpRanges`, `Ipv6Ranges`, `PrefixListIds` or `UserIdGroupPairs`",
        ),
        // an empty file was taken for a VPC of nothing
        ("", "`a.json`: is empty"),
        ("\u{feff} \n", "`a.json`: is empty"),
        ("x = [", "`a.json`: is neither JSON of the AWS CLI nor TOML: line 1: "),
        ("[[interfaec]]", "`a.json`: `interfaec` has no meaning here; the nearest is `interface`"),
        (
            "[[security-group]]\nid = \"sg-1\"\ningress = [\"tcp 22 10.0.0.0/8\"]",
            "`a.json`, security-group[0].ingress[0]: expected `PROTOCOL [PORTS] from RANGE`",
        ),
    ] {
        let found = error("a.json", text);
        assert!(found.starts_with(message), "{found}\nbegins not with\n{message}");
    }
}

#[test]
fn documents_follow_one_another() {
    let mut builder = ModelBuilder::default();
    let text = r#"{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}], "NextToken": null}
        {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "eu-central-1a"}], "ResponseMetadata": {}}"#;
    builder.add("all.json", text).unwrap();
    let model = builder.finish();
    assert_eq!((model.vpcs.len(), model.subnets.len()), (1, 1));
    assert_eq!(model.subnets[0].region.as_deref(), Some("eu-central-1"));
}

#[test]
fn zones_name_their_region() {
    for (zone, region) in [
        ("eu-central-1a", Some("eu-central-1")),
        ("us-gov-west-1b", Some("us-gov-west-1")),
        ("us-west-2-lax-1a", Some("us-west-2")),
        ("us-east-1-wl1-bos-wlz-1", Some("us-east-1")),
        ("nowhere", None),
    ] {
        assert_eq!(network::region_of_zone(zone).as_deref(), region, "{zone}");
    }
}

#[test]
fn entries_of_a_prefix_list_have_the_name_of_their_file() {
    let text = r#"{"Entries": [{"Cidr": "10.0.0.0/8"}]}"#;
    let mut builder = ModelBuilder::default();
    builder.add("folder/pl-0123.json", text).unwrap();
    builder.add("folder/entries.json", text).unwrap();
    let model = builder.finish();
    assert_eq!(model.prefix_lists[0].id, "pl-0123");
    let kinds: Vec<_> = model.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ProblemKind::Ignored, ProblemKind::Missing]);
}

#[test]
fn a_description_without_interfaces_is_not_taken_in_silence() {
    let mut builder = ModelBuilder::default();
    builder.add("interfaces.json", r#"{"NetworkInterfaces": []}"#).unwrap();
    let problems = builder.finish().problems;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].what.starts_with("network interfaces"));
}

#[test]
fn what_is_named_and_not_described_is_listed() {
    let mut builder = ModelBuilder::default();
    builder
        .add(
            "eni.json",
            r#"{"NetworkInterfaces": [
                {"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.1", "SubnetId": "subnet-1", "Groups": [{"GroupId": "sg-1"}], "OwnerId": "1"},
                {"NetworkInterfaceId": "eni-2", "PrivateIpAddress": "10.0.0.1", "SubnetId": "subnet-1", "OwnerId": "1"},
                {"NetworkInterfaceId": "eni-3", "PrivateIpAddress": "10.0.0.3", "SubnetId": "subnet-1", "OwnerId": "2"}
            ]}"#,
        )
        .unwrap();
    let model = builder.finish();
    let problems: Vec<String> = model.problems.iter().map(ToString::to_string).collect();
    for part in [
        "`eni.json`, NetworkInterfaces[0]: security group `sg-1` of `eni-1`",
        "subnet `subnet-1` of `eni-2`",
        "`eni-1` and `eni-2` both have the address 10.0.0.1",
        "`eni-3` is of account `2`, most others of `1`",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part} in {problems:#?}");
    }
    let vpc = Vpc::new(model);
    assert_eq!(vpc.interface_at("10.0.0.1".parse().unwrap()), None);
    assert!(vpc.interface_at("10.0.0.3".parse().unwrap()).is_some());
}

#[test]
fn the_more_specific_service_wins() {
    let mut builder = ModelBuilder::default();
    builder
        .add(
            "ip-ranges.json",
            r#"{"syncToken": "1", "prefixes": [
                {"ip_prefix": "52.95.128.0/21", "service": "AMAZON"},
                {"ip_prefix": "52.95.128.0/21", "service": "S3"},
                {"ip_prefix": "52.95.128.0/24", "service": "EC2"},
                {"ip_prefix": "3.0.0.0/8", "service": "AMAZON"}
            ], "ipv6_prefixes": [{"ipv6_prefix": "2600:1f00::/24", "service": "EC2"}]}"#,
        )
        .unwrap();
    let vpc = Vpc::new(builder.finish());
    let service = |address: &str| vpc.service(address.parse().unwrap());
    assert_eq!(service("52.95.128.179"), Some("S3"));
    assert_eq!(service("3.1.2.3"), Some("AMAZON"));
    assert_eq!(service("2600:1f00::1"), Some("EC2"));
    assert_eq!(service("10.0.0.1"), None);
}
