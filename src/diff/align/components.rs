//! Records and cells that share seconds.

use std::ops::Range;

use super::Sides;

/// Records and cells that share seconds, directly or through others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) claims: Range<usize>,
    pub(super) cells: Range<usize>,
}

impl Component {
    /// From this through a later one.
    pub(super) fn through(self, later: &Component) -> Component {
        Component { claims: self.claims.start..later.claims.end, cells: self.cells.start..later.cells.end }
    }
}

/// All components, in order of time.
pub(super) fn components(sides: Sides<'_>) -> Vec<Component> {
    let mut found: Vec<Component> = Vec::new();
    let (mut claim, mut cell) = (0, 0);
    let mut end = i64::MIN;
    loop {
        let (next_claim, next_cell) = (sides.claims.get(claim), sides.cells.get(cell));
        let (is_claim, start, until) = match (next_claim, next_cell) {
            (Some(record), Some(other)) if record.start <= other.start => (true, record.start, record.end),
            (Some(record), None) => (true, record.start, record.end),
            (_, Some(other)) => (false, other.start, other.end),
            (None, None) => return found,
        };
        if found.is_empty() || start > end {
            found.push(Component { claims: claim..claim, cells: cell..cell });
            end = until;
        }
        end = end.max(until);
        let Some(component) = found.last_mut() else { return found };
        if is_claim {
            claim += 1;
            component.claims.end = claim;
        } else {
            cell += 1;
            component.cells.end = cell;
        }
    }
}
