//! Where contexts go, and when browsers are started and replaced.

use super::*;

fn placement(contexts_per_browser: u32) -> Placement {
    let config =
        PlacementConfig { contexts_per_browser, recycle_after_contexts: 3, ..PlacementConfig::default() };
    Placement::new(config)
}

#[test]
fn as_many_browsers_as_the_demand_needs_and_so_many_starts_at_once() {
    let mut placement = placement(20);
    let first = placement.launch(Moment::ZERO, 100, 0).expect("nothing is there yet");
    let second = placement.launch(Moment::ZERO, 100, 0).expect("two may start at once");
    assert_eq!(placement.launch(Moment::ZERO, 100, 0), None, "a third may not");
    assert_eq!(placement.occupy(), None, "nothing is ready");
    placement.up(first, Moment::ZERO);
    placement.gone(second);
    assert_eq!(placement.launch(Moment::ZERO, 20, 0), None, "one is enough for 20");
    assert!(placement.launch(Moment::ZERO, 21, 0).is_some());
}

#[test]
fn contexts_go_where_there_is_most_room_and_never_beyond_it() {
    let mut placement = placement(2);
    for _ in 0..2 {
        let id = placement.launch(Moment::ZERO, 4, 0).expect("wanted");
        placement.up(id, Moment::ZERO);
    }
    let taken: Vec<_> = std::iter::from_fn(|| placement.occupy()).collect();
    assert_eq!(taken, [BrowserId(0), BrowserId(1), BrowserId(0), BrowserId(1)]);
    assert_eq!(placement.vacate(BrowserId(1)), None);
    assert_eq!(placement.occupy(), Some(BrowserId(1)));
}

#[test]
fn a_worn_browser_goes_only_when_its_replacement_is_up_and_it_is_empty() {
    let mut placement = placement(2);
    let old = placement.launch(Moment::ZERO, 1, 0).expect("wanted");
    placement.up(old, Moment::ZERO);
    for _ in 0..3 {
        assert_eq!(placement.occupy(), Some(old));
        placement.vacate(old);
    }
    assert_eq!(placement.occupy(), Some(old), "worn, but still the only one");
    let new = placement.launch(Moment::ZERO, 1, 0).expect("a replacement is wanted");
    assert_eq!(placement.launch(Moment::ZERO, 1, 0), None, "one replacement is enough");
    assert_eq!(placement.up(new, Moment::ZERO), None, "the old one is not empty");
    assert_eq!(placement.occupy(), Some(new));
    assert_eq!(placement.vacate(old), Some(old), "now it is");
    assert_eq!(placement.close(old), None, "it is closed once");
}

#[test]
fn a_context_alone_takes_a_whole_empty_browser_until_it_is_gone() {
    let mut placement = placement(2);
    let first = placement.launch(Moment::ZERO, 2, 0).expect("wanted");
    placement.up(first, Moment::ZERO);
    assert_eq!((placement.occupy(), placement.occupy_alone()), (Some(first), None), "it is not empty");
    let second = placement.launch(Moment::ZERO, 2, 1).expect("one for itself");
    placement.up(second, Moment::ZERO);
    assert_eq!(placement.occupy_alone(), Some(second));
    assert_eq!((placement.occupy(), placement.occupy()), (Some(first), None), "nobody joins it");
    placement.vacate(second);
    assert_eq!(placement.occupy(), Some(second));
}

#[test]
fn age_wears_too() {
    let mut placement = placement(2);
    let old = placement.launch(Moment::ZERO, 1, 0).expect("wanted");
    placement.up(old, Moment::ZERO);
    let later = Moment::after(PlacementConfig::default().recycle_after);
    let new = placement.launch(later, 1, 0).expect("a replacement is wanted");
    assert_eq!(placement.up(new, later), Some(old));
}

#[test]
fn a_browser_that_dies_takes_its_places_with_it() {
    let mut placement = placement(2);
    let id = placement.launch(Moment::ZERO, 1, 0).expect("wanted");
    placement.up(id, Moment::ZERO);
    assert_eq!(placement.occupy(), Some(id));
    assert_eq!(placement.close(id), Some(id));
    assert_eq!(placement.occupy(), None);
    assert_eq!(placement.vacate(id), None);
    placement.gone(id);
    assert!(placement.is_empty());
    assert!(placement.launch(Moment::ZERO, 1, 0).is_some());
}
