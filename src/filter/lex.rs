//! An expression cut into words.

/// A word and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// The word: `(`, `)`, `!`, `&&`, `||`, or a run of other characters without white space.
    pub text: &'a str,
    /// Its first character's column, from 1.
    pub column: usize,
}

/// Cuts an expression into its words, with an empty one at the end to name the column there.
pub(super) fn words(expression: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = expression;
    let mut column = 1;
    loop {
        let trimmed = rest.trim_start();
        let space = rest.split_at_checked(rest.len() - trimmed.len()).map_or("", |(space, _)| space);
        column += space.chars().count();
        let (text, behind) = trimmed.split_at_checked(word_length(trimmed)).unwrap_or((trimmed, ""));
        words.push(Word { text, column });
        if text.is_empty() {
            return words;
        }
        column += text.chars().count();
        rest = behind;
    }
}

/// The length of the first word in bytes; 0 at the end.
fn word_length(text: &str) -> usize {
    if text.starts_with("&&") || text.starts_with("||") {
        return 2;
    }
    if text.starts_with(['(', ')', '!']) {
        return 1;
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '!');
    let plain = text.split(ends).next().unwrap_or(text);
    let joined = [plain.find("&&"), plain.find("||")].into_iter().flatten().min();
    joined.unwrap_or(plain.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_columns() {
        let found: Vec<_> =
            words(" not(tcp&&port 80)||!é x").into_iter().map(|w| (w.column, w.text)).collect();
        let expected = [
            (2, "not"),
            (5, "("),
            (6, "tcp"),
            (9, "&&"),
            (11, "port"),
            (16, "80"),
            (18, ")"),
            (19, "||"),
            (21, "!"),
            (22, "é"),
            (24, "x"),
            (25, ""),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_is_one_empty_word() {
        assert_eq!(words(""), [Word { text: "", column: 1 }]);
        assert_eq!(words("  "), [Word { text: "", column: 3 }]);
    }
}
