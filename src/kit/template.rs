//! Templates: text with `{{name}}` where a value goes.

/// Puts the values in their places. A line that is empty once its value is in it goes.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    for line in template.lines() {
        let mut rest = line;
        let mut text = String::new();
        while let Some((before, name, after)) = next_place(rest) {
            text.push_str(before);
            let value = values.iter().find(|(known, _)| *known == name);
            text.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        text.push_str(rest);
        if text.is_empty() && !line.is_empty() {
            continue;
        }
        filled.push_str(text.trim_end());
        filled.push('\n');
    }
    filled
}

/// The next `{{name}}`: what is before it, the name, what is after it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find("{{")?;
        let inside = text.get(at + 2..)?;
        let length = inside.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(inside.len());
        if length > 0 && inside.get(length..)?.starts_with("}}") {
            return Some((text.get(..at)?, inside.get(..length)?, inside.get(length + 2..)?));
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_where_their_names_are() {
        let filled = fill(
            "a {{b}} {c} {{{d}}}\n{{none}}\n\n  {{e}}\n",
            &[("b", "B"), ("d", "{{b}}"), ("e", "x\n  y")],
        );
        assert_eq!(filled, "a B {c} {{{b}}}\n\n  x\n  y\n");
    }

    #[test]
    fn what_is_no_place_stays() {
        assert_eq!(fill("{{ a }} {{B}} {{a", &[("a", "x")]), "{{ a }} {{B}} {{a\n");
    }
}
