//! JSON: the shapes of CloudWatch Logs.

use super::*;

#[test]
fn events_of_get_log_events_and_filter_log_events() {
    let (record, nodata) = (json(RECORD), json(NODATA));
    let get = format!(
        r#"{{"nextForwardToken":"f/1","events":[{{"ingestionTime":9,"timestamp":1418530010000,"message":{record}}},{{"timestamp":2,"message":{nodata}}}],"nextBackwardToken":"b/1"}}"#
    );
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&get).unwrap()).unwrap();
    for text in [&get, &pretty, &format!("\u{feff} \r\n{get}")] {
        let (entries, summary) = read_whole(text);
        assert_eq!(lines_of(&entries), [RECORD, NODATA]);
        assert_eq!((summary.shape, summary.lines, summary.bad), (Some(LogShape::Json), 2, 0));
        assert_eq!(entries[0].event, Some((Some(1_418_530_010_000), None, None)));
        assert_eq!(entries[0].text, RECORD.as_bytes());
        let offset = usize::try_from(entries[1].place.offset).unwrap();
        assert!(text[offset..].starts_with('{'));
    }
    let filter = format!(
        r#"{{"events":[{{"logStreamName":"eni-1-all","timestamp":1,"message":{record},"ingestionTime":2,"eventId":"36"}}],"searchedLogStreams":[],"nextToken":null}}"#
    );
    let (entries, _) = read_whole(filter);
    assert_eq!(entries[0].event, Some((Some(1), Some("eni-1-all".to_owned()), Some("36".to_owned()))));
}

const CONTROL: &str = "CWL CONTROL MESSAGE: Checking health of destination Firehose.";

#[test]
fn subscription_data_plain_packed_and_many_times() {
    let one = subscription("DATA_MESSAGE", &[RECORD, NODATA]);
    let control = subscription("CONTROL_MESSAGE", &[CONTROL]);
    let packed =
        |text: &str| format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, STANDARD.encode(gzip(text.as_bytes())));
    let many = [one.as_str(), &control, &one].concat();
    for text in [
        many.clone(),
        [one.as_str(), &control, &one].join("\n"),
        format!("{} {control}\r\n{}", packed(&one), packed(&one)),
        packed(&many),
        format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, STANDARD.encode(&many)),
    ] {
        let (entries, summary) = read_whole(&text);
        assert_eq!((summary.lines, summary.records, summary.control, summary.bad), (5, 4, 1, 0), "{text}");
        assert_eq!(lines_of(&entries), [RECORD, NODATA, RECORD, NODATA]);
        assert_eq!(entries[2].seen, Seen::Control);
        assert_eq!(entries[2].text, CONTROL.as_bytes());
        assert_eq!(entries[4].event, Some((Some(1), Some("eni-1-all".to_owned()), Some("1".to_owned()))));
        // Firehose compresses what is compressed
        for bytes in [gzip(text.as_bytes()), gzip(&gzip(text.as_bytes()))] {
            let (compressed, summary) = read_whole(bytes);
            assert_eq!(compressed, entries);
            assert!(summary.gzip_layers > 0);
        }
    }
    let members = [gzip(one.as_bytes()), gzip(control.as_bytes()), gzip(one.as_bytes())].concat();
    assert_eq!(read_whole(members).1.records, 4);
}

#[test]
fn a_control_message_is_known_by_its_type_or_its_text() {
    let event = format!(r#"{{"id":"","timestamp":1,"message":{}}}"#, json(CONTROL));
    for text in [
        format!(r#"{{"logEvents":[{event}],"messageType":"CONTROL_MESSAGE"}}"#),
        r#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#.to_owned(),
        r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"anything"}]}"#.to_owned(),
        event,
    ] {
        let (_, summary) = read_whole(&text);
        assert_eq!((summary.lines, summary.control), (1, 1), "{text}");
    }
}

#[test]
fn events_without_a_document_around_them() {
    let event = format!(r#"{{"timestamp":5,"message":{},"logStreamName":"s","eventId":"e"}}"#, json(RECORD));
    for text in [
        format!("[{event},\n{event}]"),
        format!("[\n{event}\n,\n{event}\n]\n"),
        format!("{event}\n{event}\n"),
        format!("{event}{event}"),
    ] {
        let (entries, summary) = read_whole(&text);
        assert_eq!((summary.records, summary.bad), (2, 0), "{text}");
        assert_eq!(entries[1].event, Some((Some(5), Some("s".to_owned()), Some("e".to_owned()))));
    }
    let (_, summary) = read_whole("[] {\"events\":[]}\n{\"events\":[],\"nextToken\":\"x\"}");
    assert_eq!((summary.lines, summary.shape), (0, Some(LogShape::Json)));
}

#[test]
fn messages_are_read_like_lines() {
    let messages = [
        format!("{RECORD}\n"),
        format!(" {RECORD}"),
        String::new(),
        "srcaddr".to_owned(),
        "192.0.2.7".to_owned(),
    ];
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    let (entries, summary) = read_whole(subscription("DATA_MESSAGE", &messages));
    assert_eq!((summary.records, summary.headers, summary.bad), (3, 1, 0));
    assert_eq!(
        summary.leniencies.iter().collect::<Vec<_>>(),
        [(Leniency::LeadingSpace, 1), (Leniency::BlankLine, 1)]
    );
    assert_eq!(entries[0].text, RECORD.as_bytes());
    assert!(matches!(&entries[4].seen, Seen::Record(record, _) if record.srcaddr.is_some()));
}

#[test]
fn json_that_is_no_event_or_not_well_formed_is_bad_and_stops_nothing() {
    let good = subscription("DATA_MESSAGE", &[RECORD]);
    let data = |text: &str| format!(r#"{{"awslogs":{{"data":{}}}}}"#, json(text));
    let packed = STANDARD.encode(gzip(good.as_bytes()));
    let nested = STANDARD.encode(data(&packed));
    let cut = STANDARD.encode(&gzip(good.as_bytes())[..40]);
    // one bad entry each, then the good document
    let cases = [
        (
            r#"{"events":[{"timestamp":1}]}"#.to_owned(),
            "neither an event of CloudWatch Logs nor a record: missing field `message`",
        ),
        (
            r#"{"events":[{"message":1}]}"#.to_owned(),
            "neither an event of CloudWatch Logs nor a record: invalid type",
        ),
        (r#"{"events":["x"]}"#.to_owned(), "neither an event of CloudWatch Logs nor a record: invalid type"),
        (
            r#"{"events":[{"message":"\q"}]}"#.to_owned(),
            "neither an event of CloudWatch Logs nor a record: invalid escape",
        ),
        ("{}".to_owned(), "the JSON document has neither events"),
        (r#"{"events":null,"foo":[{"message":"x"}]}"#.to_owned(), "the JSON document has neither events"),
        ("hello".to_owned(), "found `hello` in the JSON, expected `{` or `[`"),
        (r#"{"events":[{"message":"x"#.to_owned(), "found `\\n` in the JSON, expected a well-formed value"),
        (r#"{"events":[{"message":"x""#.to_owned(), "found `{\"messageType\":"),
        (r#"{"events":[] "x"#.to_owned(), "found `\"x` in the JSON, expected `,` or `}`"),
        (r#"{"events":[]"#.to_owned(), "found `{\"messageType\":"),
        (r#"{"events":[}"#.to_owned(), "found `}` in the JSON, expected a well-formed value"),
        (r#"{events:1}"#.to_owned(), "found `events:1}` in the JSON, expected a key"),
        (r#"{"events" 1}"#.to_owned(), "found `1}` in the JSON, expected `:`"),
        (data("****"), "the data cannot be decoded: Invalid symbol"),
        (data(&nested), "the data cannot be decoded: found packed data inside packed data"),
        (data(&cut), "the data cannot be decoded: the gzip data is cut short after byte 40"),
        (r#"{"awslogs":{"dat":""}}"#.to_owned(), "the data cannot be decoded: missing field `data`"),
    ];
    for (bad, message) in cases {
        // a document in front, so that it is JSON for sure
        let nothing = "{\"events\":[]}\n";
        let (entries, summary) = read_whole(format!("{nothing}{bad}\n{good}\n"));
        assert_eq!((summary.bad, summary.records), (1, 1), "{bad}: {entries:?}");
        let Seen::Bad(problem) = &entries[0].seen else { panic!("{bad}") };
        assert!(problem.to_string().starts_with(message), "{bad}: {problem}");
        assert_eq!(lines_of(&entries), [RECORD]);
    }
}

#[test]
fn json_that_is_cut_yields_what_came_before() {
    let text = subscription("DATA_MESSAGE", &[RECORD, NODATA]);
    let whole = read_whole(&text).0;
    for end in 1..text.len() {
        let (entries, summary) = read_whole(&text[..end]);
        assert_eq!(summary.bad, 1, "at {end}");
        let (last, before) = entries.split_last().unwrap();
        assert!(matches!(last.seen, Seen::Bad(LineProblem::JsonCut { .. })), "at {end}: {last:?}");
        assert_eq!(before, &whole[..before.len()]);
    }
}
