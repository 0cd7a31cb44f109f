//! A header line.

use super::linter::Report;
use super::{Finding, FindingPlace, LintColumn, Linter, Rule, target};

impl Linter {
    /// A header line without its end; the columns are what it names, from here on.
    pub fn header(
        &mut self,
        place: FindingPlace,
        line: &[u8],
        columns: Vec<LintColumn>,
        out: &mut Vec<Finding>,
    ) {
        self.set_columns(columns);
        self.headers += 1;
        let words = self.words(place, line, out).unwrap_or_default();
        let text = std::str::from_utf8(line).unwrap_or_default();
        let mut report = Report::new(&self.options, &self.columns, place, line, &words, out);
        if self.records > 0 {
            report.add(Rule::HeaderInTheMiddle, None, || {
                "a header stands behind records, expected one as the first line only".to_owned()
            });
        }
        for (index, (column, span)) in report.columns.all.iter().zip(&words).enumerate() {
            let word = text.get(span.clone()).unwrap_or_default();
            judge(&mut report, index + 1, column, word);
        }
        target::header(self, place, line, out);
    }
}

/// Says what is wrong with one name.
fn judge(report: &mut Report<'_>, number: usize, column: &LintColumn, word: &str) {
    let quoted = crate::record::shown(word);
    let usual = match column {
        LintColumn::Unknown(_) => {
            report.add(Rule::UnknownField, Some(number), || {
                format!("`{quoted}` is no field of AWS's flow logs")
            });
            return;
        }
        LintColumn::Repeated(field) => {
            report.add(Rule::RepeatedField, Some(number), || format!("`{field}` is there a second time"));
            return;
        }
        LintColumn::Field(field) => field.name().to_owned(),
        LintColumn::TransitGateway(name) => name.to_ascii_lowercase().replace('_', "-"),
    };
    if word != usual {
        report.add(Rule::HeaderSpelling, Some(number), || {
            format!("the header has `{quoted}`, expected `{usual}`")
        });
    }
}
