//! The gates by themselves; what they decide together is in `tests/dispatch_model`.

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
