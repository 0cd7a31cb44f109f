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

/// What is wrong with a model of these files, in words.
fn problems(files: &[(&str, &str)]) -> Vec<String> {
    let mut builder = ModelBuilder::default();
    files.iter().for_each(|(file, text)| builder.add(file, text).unwrap());
    builder.finish().problems.iter().map(|problem| format!("{}: {problem}", problem.kind)).collect()
}

fn assert_told(files: &[(&str, &str)], told: &str) {
    let problems = problems(files);
    assert!(problems.iter().any(|problem| problem.starts_with(told)), "{told} in {problems:#?}");
}

#[test]
fn an_output_that_went_on_was_taken_for_whole() {
    let page = r#"{"Vpcs": [{"VpcId": "vpc-1"}], "NextToken": "abc"}"#;
    let last = r#"{"Vpcs": [{"VpcId": "vpc-2"}]}"#;
    let told = "missing: `a.json`, NextToken: the rest of the output of `describe-vpcs`";
    assert_told(&[("a.json", page)], told);
    assert_told(&[("a.json", &format!("{page}{}", r#"{"Subnets": []}"#)), ("b.json", last)], told);
    let followed = problems(&[("a.json", &format!("{page}\n{last}"))]);
    assert!(!followed.iter().any(|problem| problem.contains("NextToken")), "{followed:#?}");
}

#[test]
fn unlike_descriptions_of_one_thing_were_united() {
    for (first, second) in [
        (
            r#"{"SecurityGroups": [{"GroupId": "x", "IpPermissions": [], "IpPermissionsEgress": []}]}"#,
            r#"{"SecurityGroups": [{"GroupId": "x", "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}], "IpPermissionsEgress": []}]}"#,
        ),
        (
            r#"{"NetworkAcls": [{"NetworkAclId": "x", "IsDefault": true}]}"#,
            r#"{"NetworkAcls": [{"NetworkAclId": "x", "IsDefault": false}]}"#,
        ),
        (
            r#"{"RouteTables": [{"RouteTableId": "x", "VpcId": "vpc-1"}]}"#,
            r#"{"RouteTables": [{"RouteTableId": "x", "VpcId": "vpc-2"}]}"#,
        ),
        (
            r#"{"PrefixLists": [{"PrefixListId": "x", "Cidrs": ["10.0.0.0/8"]}]}"#,
            r#"{"PrefixLists": [{"PrefixListId": "x", "Cidrs": ["10.0.0.0/8", "11.0.0.0/8"]}]}"#,
        ),
        (
            r#"{"VpcPeeringConnections": [{"VpcPeeringConnectionId": "x", "RequesterVpcInfo": {"Region": "a"}}]}"#,
            r#"{"VpcPeeringConnections": [{"VpcPeeringConnectionId": "x", "RequesterVpcInfo": {"Region": "b"}}]}"#,
        ),
        (
            r#"{"FlowLogs": [{"FlowLogId": "x", "TrafficType": "ALL"}]}"#,
            r#"{"FlowLogs": [{"FlowLogId": "x", "TrafficType": "REJECT"}]}"#,
        ),
    ] {
        let key = first.split('"').nth(1).unwrap();
        let told = format!(
            "contradiction: `b.json`, {key}[0]: `x` is described twice, and not alike; the first counts: `a.json`, {key}[0]"
        );
        assert_told(&[("a.json", first), ("b.json", second)], &told);
        let alike = problems(&[("a.json", first), ("b.json", first)]);
        assert!(!alike.iter().any(|problem| problem.contains("twice")), "{alike:#?}");
    }
    assert_told(
        &[
            ("a.toml", "[[security-group]]\nid = \"sg-1\"\negress = []"),
            ("b.toml", "[[security-group]]\nid = \"sg-1\""),
        ],
        "contradiction: `b.toml`, security-group[0]: `sg-1` is described twice, and not alike; the first counts: `a.toml`, security-group[0]",
    );
}

#[test]
fn the_second_group_of_a_toml_let_everything_out() {
    let mut builder = ModelBuilder::default();
    let text = "[[security-group]]\nid = \"sg-1\"\negress = []\n[[security-group]]\nid = \"sg-1\"";
    builder.add("a.toml", text).unwrap();
    assert_eq!(builder.finish().security_groups[0].egress.as_deref(), Some(&[][..]));
}

#[test]
fn a_file_read_twice_says_nothing_new() {
    let toml = r#"
        [vpc]
        id = "vpc-1"
        cidrs = ["10.0.0.0/16"]
        [[subnet]]
        id = "subnet-1"
        cidrs = ["10.0.0.0/24"]
        acl = "acl-1"
        route-table = "rtb-1"
        [[subnet]]
        id = "subnet-2"
        cidrs = ["10.0.1.0/24"]
        route-table = "rtb-1"
        [[acl]]
        id = "acl-1"
        ingress = ["100 allow all from 0.0.0.0/0"]
        [[route-table]]
        id = "rtb-1"
        [[interface]]
        id = "eni-1"
        subnet = "subnet-1"
        [[service]]
        name = "S3"
        cidrs = ["52.95.128.0/24"]
    "#;
    let ranges = r#"{"prefixes": [{"ip_prefix": "52.95.128.0/24", "service": "S3"}, {"ip_prefix": "52.95.128.0/24", "service": "S3"}]}"#;
    assert_eq!(problems(&[("a.toml", toml)]), problems(&[("a.toml", toml), ("b.toml", toml)]));
    let mut builder = ModelBuilder::default();
    for (file, text) in [("a.toml", toml), ("b.toml", toml), ("ip-ranges.json", ranges)] {
        builder.add(file, text).unwrap();
    }
    let model = builder.finish();
    assert_eq!(model.service_ranges.len(), 1, "services were listed doubled");
    let subnets: Vec<_> = model.acls.iter().map(|acl| acl.subnets.len()).collect();
    assert_eq!(subnets, [1, 1]);
}

#[test]
fn rules_that_are_listed_apart_are_those_of_the_group() {
    let group = |rules: &str| format!(r#"{{"SecurityGroups": [{{"GroupId": "sg-1" {rules}}}]}}"#);
    let listed = r#"{"SecurityGroupRules": [
        {"GroupId": "sg-1", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8"}
    ]}"#;
    let same = r#", "IpPermissionsEgress": [], "IpPermissions":
        [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]"#;
    let other = r#", "IpPermissionsEgress": [], "IpPermissions": []"#;
    let about_groups = |text: &str| -> Vec<String> {
        let all = problems(&[("rules.json", listed), ("groups.json", text)]);
        all.into_iter().filter(|problem| problem.contains("`sg-1`")).collect()
    };
    assert_eq!(about_groups(&group("")), Vec::<String>::new());
    assert_eq!(about_groups(&group(same)), Vec::<String>::new());
    assert_eq!(about_groups(&group(other)).len(), 1);
}

#[test]
fn what_cannot_be_right_was_passed_over() {
    let group = r#"{"SecurityGroups": [{"GroupId": "sg-1", "IpPermissionsEgress": []}]}"#;
    assert_told(
        &[("a.json", group)],
        "missing: `a.json`, SecurityGroups[0]: `IpPermissions` of `sg-1`: the action is `-`",
    );
    let entry = |cidr: &str| {
        format!(
            r#"{{"RuleNumber": 100, "Egress": false, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "{cidr}"}}"#
        )
    };
    let acl = format!(
        r#"{{"NetworkAcls": [{{"NetworkAclId": "acl-1", "Entries": [{}, {}]}}]}}"#,
        entry("0.0.0.0/0"),
        entry("10.0.0.0/8")
    );
    assert_told(
        &[("a.json", &acl)],
        "contradiction: `a.json`, NetworkAcls[0].Entries[1]: `acl-1` has two ingress rules of the number 100; the first is looked at first: `a.json`, NetworkAcls[0].Entries[0]",
    );
    let toml = r#"
        [[acl]]
        id = "acl-1"
        egress = ["100 allow all to 0.0.0.0/0", "100 deny all to ::/0"]
        [[subnet]]
        id = "subnet-1"
        cidrs = ["10.0.0.0/24"]
        [[interface]]
        id = "eni-1"
        subnet = "subnet-1"
        addresses = ["10.0.1.1"]
        prefixes = ["10.0.0.16/28"]
        [[interface]]
        id = "eni-2"
        subnet = "subnet-1"
        prefixes = ["10.0.0.16/28"]
        [[nat-gateway]]
        id = "nat-1"
        interfaces = ["eni-gone"]
        [[nat-gateway]]
        id = "nat-2"
    "#;
    for told in [
        "contradiction: `a.toml`, acl[0].egress[1]: `acl-1` has two egress rules of the number 100",
        "contradiction: `a.toml`, interface[0]: `10.0.1.1` of `eni-1` is not in the range of its subnet `subnet-1`: `10.0.0.0/24`",
        "contradiction: `a.toml`, interface[1]: `eni-1` and `eni-2` both have the prefix 10.0.0.16/28",
        "missing: `a.toml`, nat-gateway[0]: interface `eni-gone` of NAT gateway `nat-1`",
        "missing: `a.toml`, nat-gateway[1]: the interface of NAT gateway `nat-2`",
    ] {
        assert_told(&[("a.toml", toml)], told);
    }
}

#[test]
fn wrong_types_of_a_toml_were_taken() {
    for (text, message) in [
        ("[[interface]]\nid = 5", "`a.toml`, interface[0].id: found `5`, expected text"),
        ("interface = [1]", "`a.toml`, interface[0]: found `1`, expected an object"),
        ("vpc = \"x\"", "`a.toml`, vpc: found `x`, expected a table, or a list of tables"),
        ("account = 1.5", "`a.toml`, account: found `1.5`, expected text"),
        ("subnet = nan", "`a.toml`, subnet: found `NaN`, expected a table, or a list of tables"),
        (
            "[[interface]]\nid = \"eni-1\"\ntags = { a = 1 }",
            "`a.toml`, interface[0].tags.a: found `1`, expected text",
        ),
        (
            "[[peering]]\nid = \"pcx-1\"\nregions = [\"eu-central-1\"]",
            "`a.toml`, peering[0]: found 1 `regions`, expected two",
        ),
        ("[[peering]]\nid = \"pcx-1\"", "`a.toml`, peering[0]: found 0 `regions`, expected two"),
        (
            "[[acl]]\nid = \"acl-default\"",
            "`a.toml`, acl[0]: `acl-default` is the ACL of subnets that name none",
        ),
    ] {
        let found = error("a.toml", text);
        assert!(found.starts_with(message), "{found}\nbegins not with\n{message}");
    }
    let mut builder = ModelBuilder::default();
    builder.add("a.toml", "account = 123456789012\n[vpc]\nid = \"vpc-1\"").unwrap();
    assert_eq!(builder.finish().vpcs[0].account.as_deref(), Some("123456789012"));
    let tag =
        r#"{"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "TagSet": [{"Key": "a", "Value": 5}]}]}"#;
    assert_eq!(
        error("a.json", tag),
        "`a.json`, NetworkInterfaces[0].TagSet[0].Value: found `5`, expected text"
    );
}

#[test]
fn the_default_acl_of_a_toml_was_passed_by() {
    let text = r#"
        [vpc]
        id = "vpc-1"
        [[acl]]
        id = "acl-1"
        default = true
        [[subnet]]
        id = "subnet-1"
    "#;
    let mut builder = ModelBuilder::default();
    builder.add("a.toml", text).unwrap();
    let acls: Vec<String> = builder.finish().acls.into_iter().map(|acl| acl.id).collect();
    assert_eq!(acls, ["acl-1"]);
}

#[test]
fn an_interface_without_groups_was_taken_for_one_that_filters_nothing() {
    let missing = |groups: &str| {
        let mut builder = ModelBuilder::default();
        let text = format!(
            r#"{{"NetworkInterfaces": [{{"NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.1"{groups}}}]}}"#
        );
        builder.add("eni.json", &text).unwrap();
        let problems = builder.finish().problems;
        problems.iter().filter(|problem| problem.to_string().contains("security group `")).count()
    };
    assert_eq!(missing(r#", "Groups": []"#), 0);
    assert_eq!(missing(""), 1);
}
