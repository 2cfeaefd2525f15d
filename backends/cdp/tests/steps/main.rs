//! Every step, in a real browser, on pages that make it hard. Steps are written as jobs write them.

mod deck;
mod forms;
mod pointing;
mod results;
mod scripts;
mod waiting;

use deck::Deck;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::StepOutput;

/// Runs each case in a context of its own, a few at a time in one browser.
macro_rules! cases {
    ($($suite:ident: $($name:ident),* ;)*) => {
        #[tokio::test]
        async fn every_step_does_what_it_says() {
            let deck = Deck::launch().await;
            deck.run(vec![$($((stringify!($name), Box::pin($suite::$name(&deck)))),*),*]).await;
            deck.close().await;
        }
    };
}

cases! {
    pointing:
        a_click_waits_until_its_element_can_take_it,
        a_click_says_what_it_waited_for,
        a_click_reaches_what_is_far_down_nested_or_shadowed,
        clicks_are_counted_and_have_their_button,
        a_click_may_leave_the_page,
        a_click_may_open_a_dialog,
        a_selector_that_is_none_is_the_script_s_fault,
        hovering_opens_menus,
        scrolling_reaches_its_end;
    forms:
        fill_replaces_and_tells_the_page,
        fill_says_when_a_field_does_not_keep_the_text,
        fill_picks_dates_and_refuses_what_takes_no_text,
        typing_goes_key_by_key,
        keys_and_chords_reach_the_page,
        two_pages_have_the_keyboard_at_once,
        options_are_chosen_by_value_or_label,
        boxes_are_ticked_and_unticked,
        files_are_uploaded;
    waiting:
        waits_hold_when_their_condition_does,
        a_wait_that_is_late_is_a_timeout,
        a_wait_goes_on_in_the_next_document,
        an_expectation_that_fails_is_an_assertion,
        functions_are_polled_until_true;
    scripts:
        values_come_back_as_json,
        what_a_script_throws_is_told,
        a_script_that_never_ends_ends_with_its_step,
        a_script_whose_document_goes_away_does_not_hang;
    results:
        fields_are_extracted_in_one_go,
        pictures_have_the_size_of_what_they_show,
        pages_are_printed,
        html_is_brought_back,
        cookies_stay_in_their_context,
        the_viewport_changes;
}

/// Asserts how a step failed, and what it said.
fn fails(result: Result<StepOutput, Fault>, class: FailureClass, recurrence: Recurrence, words: &[&str]) {
    let fault = result.expect_err("the step must fail");
    assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{fault}");
    for part in words {
        assert!(fault.message.contains(part), "{:?} does not say {part:?}", fault.message);
    }
}

/// Asserts that a wait was too long.
fn late(result: Result<StepOutput, Fault>, words: &[&str]) {
    fails(result, FailureClass::Timeout, Recurrence::Transient, words);
}

/// Asserts that the job is to blame.
fn refused(result: Result<StepOutput, Fault>, words: &[&str]) {
    fails(result, FailureClass::Script, Recurrence::Persistent, words);
}
