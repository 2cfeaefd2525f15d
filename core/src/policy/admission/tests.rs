//! The gates by themselves; what they decide together is in `tests/it/dispatch_model`.

use super::*;

#[test]
fn endpoints_that_have_fewer_slots_than_the_limit_are_the_limit() {
    let mut admission =
        Admission::new(AdmissionConfig { policy: LimitPolicy::Fixed, ..AdmissionConfig::default() });
    for (slots, limit) in [(Some(8), 8), (Some(0), 1), (Some(500), 100), (None, 100)] {
        admission.read(Moment::ZERO, &Reading { slots, ..Reading::default() }, Load::default());
        assert_eq!(admission.active_limit(), limit, "{slots:?}");
        let full = Load { active: limit, creating: 0 };
        assert_eq!(
            admission.admit(Moment::ZERO, full),
            Err(Wait::Active { in_flight: limit, limit }),
            "{slots:?}"
        );
    }
}

#[test]
fn new_ceilings_hold_at_once_and_keep_what_was_learnt_below_them() {
    let adaptive = |max_contexts| AdmissionConfig { max_contexts, ..AdmissionConfig::default() };
    let mut admission = Admission::new(adaptive(100));
    let start = admission.active_limit();
    for (ceiling, limit) in [(400, start), (3, 3), (400, 3)] {
        admission.reconfigure(adaptive(ceiling));
        assert_eq!(admission.active_limit(), limit, "under {ceiling}");
    }
    admission.reconfigure(AdmissionConfig { policy: LimitPolicy::Fixed, ..adaptive(7) });
    assert_eq!((admission.active_limit(), admission.creation_limit()), (7, 50));
}

#[test]
fn breakers_with_new_rules_begin_anew_and_trips_are_not_forgotten() {
    let mut admission = Admission::new(AdmissionConfig::default());
    let mut rng = fastrand::Rng::with_seed(1);
    let scopes = [Scope::Fuse];
    for _ in 0..50 {
        admission.note_failure(Moment::ZERO, &mut rng);
    }
    assert!(admission.pass(Moment::ZERO, &scopes, &mut rng).is_err(), "the incident's counter is full");
    admission.reconfigure(AdmissionConfig::default());
    assert!(admission.pass(Moment::ZERO, &scopes, &mut rng).is_err(), "the same rules change nothing");
    let mut config = AdmissionConfig::default();
    config.scopes.max_hosts += 1;
    admission.reconfigure(config);
    assert!(admission.pass(Moment::ZERO, &scopes, &mut rng).is_ok());
    assert_eq!(admission.trips(), 1);
}
