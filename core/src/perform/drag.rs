//! Dragging: a pointer that is pressed on an element, moved in small steps, and released.

use serde::Deserialize;
use serde_json::{Value, json};

use super::look::act;
use super::page_driver::{DragKind, PageDriver, Point};
use crate::outcome::Fault;
use crate::page::Act;
use crate::runtime::budget::Budget;
use crate::step::{Drag, DragTarget};

/// Moves between the two ends. Pages wait for a few pixels before they take a pointer for a drag, and many follow only
/// the moves that they see on the way.
const MOVES: u32 = 10;

/// The ends of a drag, as the page reports them.
#[derive(Deserialize)]
struct Ends {
    from: Point,
    to: Point,
    what: DragKind,
}

/// Drags an element.
pub(super) async fn drag(page: &impl PageDriver, step: &Drag, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    let Ends { from, to, what } = act(page, &step.from, Act::DRAG, &target(&step.target), budget).await?;
    page.drag(&path(from, to), what, budget).await
}

fn target(target: &DragTarget) -> Value {
    match target {
        DragTarget::Selector(selector) => json!({ "selector": selector }),
        DragTarget::By(x, y) => json!({ "by": [x, y] }),
    }
}

/// The points of the pointer. The last point comes twice: what a drag enters with one move, it is over with the next.
fn path(from: Point, to: Point) -> Vec<Point> {
    let at = |part: u32| {
        let share = f64::from(part) / f64::from(MOVES);
        Point { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }
    };
    (0..MOVES).map(at).chain([to, to]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_and_ends_where_it_should_and_goes_straight() {
        let (from, to) = (Point { x: 0.1, y: 100.0 }, Point { x: 100.3, y: 50.0 });
        let path = path(from, to);
        assert_eq!((path[0], path[path.len() - 2], path[path.len() - 1]), (from, to, to));
        assert!(path.is_sorted_by(|a, b| a.x <= b.x && a.y >= b.y), "{path:?}");
    }
}
