//! Tables for people.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// A plain table: two spaces between columns, no lines, as wide as the terminal allows.
pub fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width() {
        table.set_width(width);
    }
    table
}

/// Aligns columns of numbers to the right.
pub fn right_align(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// The table's text without trailing spaces, and with a newline at its end.
pub fn text(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The width of the terminal on standard output, if it is one; `COLUMNS` goes before it.
pub fn width() -> Option<u16> {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.or_else(|| {
        use std::io::IsTerminal;
        let terminal = std::io::stdout().is_terminal();
        terminal.then(|| terminal_size::terminal_size().map(|(width, _)| width.0)).flatten()
    })
}
