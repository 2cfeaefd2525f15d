//! The simulator's command line.
use plimsoll_sim::{journal::Journal, plan::Plan, run::run};
fn main() {
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let mut fails = std::collections::BTreeMap::new();
    let mut events = 0;
    for seed in args[0]..args[1] {
        let plan = Plan::drawn(seed);
        let r = run(&plan, None, if args.len() > 2 { Journal::last(args[2] as usize) } else { Journal::NONE });
        events += r.events;
        if let Some(v) = r.violation {
            if args.len() > 2 { println!("{:#?}\n{}", plan.scenario, r.journal); }
            let e = fails.entry(v.invariant).or_insert((0, seed, v.to_string()));
            e.0 += 1;
        }
    }
    println!("{events} events");
    for (_, (n, seed, v)) in fails { println!("{n} x, first {seed}: {v}"); }
}
