//! Checks the control flow of a job before it runs.
//!
//! ```text
//!   steps, in order ──► names that are in the data by now ──► each {{data.NAME}} must be one of them
//!        └─ use ──► the procedure, summed up once: names that it needs, names that it puts in, its depth
//! ```
//!
//! A name counts as present when some step before *can* have put it there: in one branch of an `if`, or later in the same
//! loop. What is certainly wrong is a mistake; what depends on the page is a fault when it happens.

use std::collections::{HashMap, HashSet};

use super::fill::Place;
use super::plain::Plain;
use super::statement::{ForEach, If, Procedures, Repeat, Statement, Try, Turns};
use super::text::Variable;
use crate::step::Step;

/// How deep lists of steps may lie in each other, those of procedures included.
pub const MOST_DEPTH: usize = 16;
/// The longest name of a procedure, in bytes.
const LONGEST_NAME: usize = 64;

/// What is wrong with the control flow of a job, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {mistake}")]
pub struct FlowError {
    /// The path of keys, such as `steps[2].then[0]`.
    pub place: String,
    /// What is wrong there.
    pub mistake: FlowMistake,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowMistake {
    /// A name that no earlier step puts into the data.
    #[error("no step before puts `{0}` into the job's data, so `{{{{data.{0}}}}}` can have no value")]
    NoValue(String),
    /// A part of a fault where no fault is handled.
    #[error("`{{{{error.{0}}}}}` has a value in the steps of a `catch` only")]
    NoError(String),
    /// A part that faults do not have.
    #[error("`{{{{error.{0}}}}}` does not exist; a fault has `error.class` and `error.message`")]
    UnknownPart(String),
    /// A placeholder where none is filled.
    #[error("`{0}` cannot stand here: names and files are not filled from the job's data")]
    Fixed(Variable),
    /// A procedure that does not exist.
    #[error("there is no procedure `{name}`; the job has {known}")]
    NoProcedure {
        /// The name.
        name: String,
        /// Those that exist.
        known: String,
    },
    /// A procedure that leads back to itself.
    #[error(
        "the procedure `{0}` uses itself, directly or through others; use `repeat` to do something again"
    )]
    Recursion(String),
    /// The name of a procedure is not a plain name.
    #[error("the name of a procedure has 1 to {LONGEST_NAME} letters, digits, `_` and `-`")]
    Name,
    /// A procedure without steps.
    #[error("the procedure has no steps")]
    Empty,
    /// Lists of steps lie too deep in each other.
    #[error("steps lie more than {MOST_DEPTH} lists deep in each other, those of procedures included")]
    Depth,
}

/// Checks the steps of a job, and removes the procedures that they do not use, which are checked too.
///
/// # Errors
/// The first mistake.
pub fn check(steps: &[Statement], procedures: &mut Procedures) -> Result<(), FlowError> {
    let used: HashSet<String> = {
        let mut checker = Checker { procedures, sums: HashMap::new(), scope: Scope::default() };
        for (name, steps) in &*procedures {
            let place = || format!("procedures.{name}");
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
                return Err(FlowError { place: "procedures".to_owned(), mistake: FlowMistake::Name });
            }
            if steps.is_empty() {
                return Err(FlowError { place: place(), mistake: FlowMistake::Empty });
            }
        }
        checker.list(steps, At { place: "steps", depth: 1, catches: Catches::No })?;
        if let Some((place, name)) = checker.scope.unmet.first() {
            return Err(FlowError { place: place.clone(), mistake: FlowMistake::NoValue(name.clone()) });
        }
        let used = checker.sums.keys().map(|name| (*name).to_owned()).collect();
        for name in procedures.keys() {
            checker.procedure(name, "procedures")?;
        }
        used
    };
    procedures.retain(|name, _| used.contains(name));
    Ok(())
}

struct Checker<'j> {
    procedures: &'j Procedures,
    /// The procedures that were summed up; `None` for those that are being summed up.
    sums: HashMap<&'j str, Option<Sum<'j>>>,
    scope: Scope<'j>,
}

/// The names that are in the data by now.
#[derive(Default)]
struct Scope<'j> {
    present: HashSet<&'j str>,
    /// The names in the order in which they were added.
    added: Vec<&'j str>,
    /// Names that were needed and not present, with their places.
    unmet: Vec<(String, String)>,
}

/// What matters of a procedure where it is used.
struct Sum<'j> {
    needs: Vec<String>,
    puts: Vec<&'j str>,
    depth: usize,
}

/// Whether a fault is handled here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Catches {
    Yes,
    No,
}

/// Where a list of steps stands.
#[derive(Clone, Copy)]
struct At<'a> {
    place: &'a str,
    depth: usize,
    catches: Catches,
}

impl At<'_> {
    fn within<'a>(&self, place: &'a str) -> At<'a> {
        At { place, depth: self.depth + 1, catches: self.catches }
    }

    fn error(&self, mistake: FlowMistake) -> FlowError {
        FlowError { place: self.place.to_owned(), mistake }
    }
}

impl<'j> Scope<'j> {
    fn add(&mut self, name: &'j str) {
        if self.present.insert(name) {
            self.added.push(name);
        }
    }

    /// Removes the names that were added after the first `kept`, and returns them.
    fn take_back(&mut self, kept: usize) -> Vec<&'j str> {
        let back = self.added.split_off(kept);
        back.iter().for_each(|name| {
            self.present.remove(name);
        });
        back
    }
}

impl<'j> Checker<'j> {
    /// Checks a list, and returns how deep it is.
    fn list(&mut self, list: &'j [Statement], at: At<'_>) -> Result<usize, FlowError> {
        if at.depth > MOST_DEPTH {
            return Err(at.error(FlowMistake::Depth));
        }
        list.iter().enumerate().try_fold(at.depth, |deepest, (number, statement)| {
            let place = format!("{}[{number}]", at.place);
            Ok(self.statement(statement, At { place: &place, ..at })?.max(deepest))
        })
    }

    fn statement(&mut self, statement: &'j Statement, at: At<'_>) -> Result<usize, FlowError> {
        let place = |key: &str| format!("{}.{key}", at.place);
        match statement {
            Statement::Step(plain) | Statement::Append(plain) => {
                self.plain(plain, at)?;
                puts(plain).for_each(|name| self.scope.add(name));
                Ok(at.depth)
            }
            Statement::If(If { condition, then, otherwise }) => {
                self.guard(condition, At { place: &place("if"), ..at })?;
                let (kept, mut deepest) = (self.scope.added.len(), at.depth);
                let mut put = Vec::new();
                for (key, list) in [("then", then), ("else", otherwise)] {
                    deepest = self.list(list, at.within(&place(key)))?.max(deepest);
                    put.extend(self.scope.take_back(kept));
                }
                put.into_iter().for_each(|name| self.scope.add(name));
                Ok(deepest)
            }
            Statement::Repeat(Repeat { steps, turns }) => {
                if let Turns::While(guard, _) = turns {
                    self.put_by(steps);
                    self.guard(guard, At { place: &place("while"), ..at })?;
                }
                self.put_by(steps);
                let depth = self.list(steps, at.within(&place("repeat")))?;
                if let Turns::Until(guard, _) = turns {
                    self.guard(guard, At { place: &place("until"), ..at })?;
                }
                Ok(depth)
            }
            Statement::ForEach(ForEach { elements, steps, .. }) => {
                self.plain(elements, At { place: &place("for_each"), ..at })?;
                self.put_by(steps);
                self.list(steps, at.within(&place("do")))
            }
            Statement::Try(Try { steps, catch }) => {
                let tried = self.list(steps, at.within(&place("try")))?;
                let at = At { catches: Catches::Yes, ..at };
                Ok(self.list(catch, at.within(&place("catch")))?.max(tried))
            }
            Statement::Use(name) => {
                let place = place("use");
                self.procedure(name, &place)?;
                let Some(Some(sum)) = self.sums.get(name.as_str()) else { return Ok(at.depth) };
                let unmet = sum.needs.iter().filter(|name| !self.scope.present.contains(name.as_str()));
                self.scope.unmet.extend(unmet.map(|name| (place.clone(), name.clone())));
                for name in &sum.puts {
                    if self.scope.present.insert(name) {
                        self.scope.added.push(name);
                    }
                }
                let depth = at.depth + sum.depth;
                if depth > MOST_DEPTH { Err(at.error(FlowMistake::Depth)) } else { Ok(depth) }
            }
        }
    }

    fn guard(&mut self, guard: &'j super::guard::Guard, at: At<'_>) -> Result<(), FlowError> {
        let mut checked = Ok(());
        guard.visit(&mut |plain| {
            if checked.is_ok() {
                checked = self.plain(plain, at);
            }
        });
        checked
    }

    fn plain(&mut self, plain: &'j Plain, at: At<'_>) -> Result<(), FlowError> {
        for (place, variable) in plain.variables() {
            match variable {
                variable if place == Place::Fixed => return Err(at.error(FlowMistake::Fixed(variable))),
                Variable::Error(part) if !["class", "message"].contains(&part.as_str()) => {
                    return Err(at.error(FlowMistake::UnknownPart(part)));
                }
                Variable::Error(part) if at.catches == Catches::No => {
                    return Err(at.error(FlowMistake::NoError(part)));
                }
                Variable::Error(_) => {}
                Variable::Data(name) => {
                    if !self.scope.present.contains(name.as_str()) {
                        self.scope.unmet.push((at.place.to_owned(), name));
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds the names that a list can put into the data in an earlier turn of its loop.
    fn put_by(&mut self, list: &'j [Statement]) {
        for statement in list {
            match statement {
                Statement::Step(plain) | Statement::Append(plain) => {
                    puts(plain).for_each(|name| self.scope.add(name));
                }
                Statement::Use(name) => {
                    // An error is reported where the list itself is checked.
                    if self.procedure(name, "").is_ok()
                        && let Some(Some(sum)) = self.sums.get(name.as_str())
                    {
                        sum.puts.iter().for_each(|name| self.scope.add(name));
                    }
                }
                other => other.lists().into_iter().for_each(|list| self.put_by(list)),
            }
        }
    }

    /// Sums a procedure up, if that was not done yet.
    fn procedure(&mut self, name: &str, place: &str) -> Result<(), FlowError> {
        let error = |mistake| Err(FlowError { place: place.to_owned(), mistake });
        let Some((name, steps)) = self.procedures.get_key_value(name) else {
            let known: Vec<_> = self.procedures.keys().take(20).map(|name| format!("`{name}`")).collect();
            let known = if known.is_empty() { "no `procedures`".to_owned() } else { known.join(", ") };
            return error(FlowMistake::NoProcedure { name: excerpt(name), known });
        };
        match self.sums.get(name.as_str()) {
            Some(Some(_)) => return Ok(()),
            Some(None) => return error(FlowMistake::Recursion(name.clone())),
            None => {}
        }
        if self.sums.values().filter(|sum| sum.is_none()).count() >= MOST_DEPTH {
            return error(FlowMistake::Depth);
        }
        self.sums.insert(name, None);
        let outside = std::mem::take(&mut self.scope);
        let depth =
            self.list(steps, At { place: &format!("procedures.{name}"), depth: 1, catches: Catches::No });
        let scope = std::mem::replace(&mut self.scope, outside);
        let needs = scope.unmet.into_iter().map(|(_, name)| name).collect();
        self.sums.insert(name, Some(Sum { needs, puts: scope.added, depth: depth? }));
        Ok(())
    }
}

/// The names that a step puts into the data.
fn puts(plain: &Plain) -> Box<dyn Iterator<Item = &str> + '_> {
    match plain.step() {
        Step::Evaluate(step) => Box::new(std::iter::once(step.name.as_str())),
        Step::Content(step) => Box::new(std::iter::once(step.name.as_str())),
        Step::GetCookies(step) => Box::new(std::iter::once(step.name.as_str())),
        Step::Extract(step) => Box::new(step.fields.keys().map(String::as_str)),
        _ => Box::new(std::iter::empty()),
    }
}

/// The beginning of a name that does not exist.
fn excerpt(name: &str) -> String {
    crate::shown::excerpt(name, LONGEST_NAME)
}

#[cfg(test)]
mod tests;
