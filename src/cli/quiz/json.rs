//! Questions for programs.

use flowtruth::quiz::Question;
use serde_json::{Map, Value, json};

/// The questions; their answers only where they are asked for.
pub fn questions(name: &str, seed: u64, questions: &[Question], answers: bool) -> String {
    let shown: Vec<Value> = (1..)
        .zip(questions)
        .map(|(number, question)| {
            let mut shown = match json!(question) {
                Value::Object(map) => map,
                _ => Map::new(),
            };
            if !answers {
                shown.remove("answer");
                shown.remove("explanation");
            }
            shown.insert("number".to_owned(), json!(number));
            Value::Object(shown)
        })
        .collect();
    let whole = json!({ "capture": name, "seed": seed, "questions": shown });
    // a value always has a JSON form
    serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
}
