//! What a description says that cannot be, or does not say.

use super::*;

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

#[test]
fn of_two_routes_for_one_range_the_first_counted_even_if_it_was_propagated() {
    let route = |target: &str, more: &str| {
        format!(r#"{{"DestinationCidrBlock": "192.168.0.0/16", "GatewayId": "{target}"{more}}}"#)
    };
    let by_list = r#"{"DestinationPrefixListId": "pl-1", "GatewayId": "vgw-3"}"#.to_owned();
    let propagated = route("vgw-1", r#", "Origin": "EnableVgwRoutePropagation""#);
    let described = |routes: &[&String]| {
        let routes: Vec<&str> = routes.iter().map(|route| route.as_str()).collect();
        let tables = format!(
            r#"{{"RouteTables": [{{"RouteTableId": "rtb-1", "Associations": [{{"SubnetId": "subnet-1"}}], "Routes": [{}]}}]}}"#,
            routes.join(", ")
        );
        let mut builder = ModelBuilder::default();
        builder.add("routes.json", &tables).unwrap();
        builder
            .add("a.toml", "[[subnet]]\nid = \"subnet-1\"\n[[interface]]\nid = \"eni-1\"\nsubnet = \"subnet-1\"\n[[prefix-list]]\nid = \"pl-1\"\ncidrs = [\"192.168.0.0/16\"]")
            .unwrap();
        let model = builder.finish();
        let told: Vec<String> = model.problems.iter().map(|problem| problem.what.clone()).collect();
        let vpc = Vpc::new(model);
        let from = vpc.interface_named("eni-1").unwrap();
        let target = vpc.route(from, "192.168.1.1".parse().unwrap()).unwrap().target.id().to_owned();
        (target, told.into_iter().find(|what| what.contains("two routes")))
    };
    let (one, other) = (route("igw-1", ""), route("igw-2", ""));
    for routes in
        [[&propagated, &by_list, &one], [&one, &by_list, &propagated], [&by_list, &propagated, &one]]
    {
        assert_eq!(described(&routes), ("igw-1".to_owned(), None));
    }
    assert_eq!(described(&[&propagated, &by_list]), ("vgw-3".to_owned(), None));
    let told =
        "`rtb-1` has two routes for `192.168.0.0/16`: that to `igw-2` counts, that to `igw-1` does not";
    assert_eq!(described(&[&other, &one, &other]), ("igw-2".to_owned(), Some(told.to_owned())));
}
