//! [`Statement`]: one entry of a list of steps, a plain step or control flow.

use std::collections::BTreeMap;

use super::guard::Guard;
use super::plain::Plain;
use crate::step::Step;

/// The named lists of steps of a job.
pub type Procedures = BTreeMap<String, Vec<Statement>>;

/// The steps of a job. Iteration goes through every step that a driver may have to carry out: those in control flow
/// too, each once, with the texts that are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Steps {
    /// The job's own list.
    pub list: Vec<Statement>,
    /// The named lists that it uses.
    pub procedures: Procedures,
}

impl Steps {
    /// Every plain step.
    #[must_use]
    pub fn plain(&self) -> Vec<&Plain> {
        let mut all = Vec::new();
        let lists = std::iter::once(&self.list).chain(self.procedures.values());
        lists.flatten().for_each(|statement| statement.visit(&mut |plain| all.push(plain)));
        all
    }

    /// Whether steps are carried out inside the elements of a `for_each`.
    #[must_use]
    pub fn have_elements(&self) -> bool {
        let mut lists = std::iter::once(&self.list).chain(self.procedures.values());
        lists.any(|list| list.iter().any(Statement::has_elements))
    }

    /// Calls `edit` with each plain step that is not a part of control flow.
    pub fn edit(&mut self, mut edit: impl FnMut(&mut Step)) {
        let lists = std::iter::once(&mut self.list).chain(self.procedures.values_mut());
        lists.flatten().for_each(|statement| statement.edit(&mut edit));
    }
}

impl<'s> IntoIterator for &'s Steps {
    type Item = &'s Step;
    type IntoIter = std::vec::IntoIter<&'s Step>;

    fn into_iter(self) -> Self::IntoIter {
        self.plain().into_iter().map(Plain::step).collect::<Vec<_>>().into_iter()
    }
}

impl IntoIterator for Steps {
    type Item = Step;
    type IntoIter = std::vec::IntoIter<Step>;

    fn into_iter(self) -> Self::IntoIter {
        (&self).into_iter().cloned().collect::<Vec<_>>().into_iter()
    }
}

/// One entry of a list of steps.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A step that a driver performs.
    Step(Plain),
    /// An `extract` whose values are appended to lists in the job's data.
    Append(Plain),
    /// One list of steps or the other.
    If(If),
    /// A list of steps again and again.
    Repeat(Repeat),
    /// A list of steps for each element.
    ForEach(ForEach),
    /// A list of steps, and another one if it fails.
    Try(Try),
    /// The steps of the procedure with this name.
    Use(String),
}

/// One list of steps if a condition holds, another one if not.
#[derive(Debug, Clone, PartialEq)]
pub struct If {
    /// The condition.
    pub condition: Guard,
    /// The steps if it holds.
    pub then: Vec<Statement>,
    /// The steps if it does not hold.
    pub otherwise: Vec<Statement>,
}

/// A list of steps again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// The steps of one turn.
    pub steps: Vec<Statement>,
    /// When the loop ends.
    pub turns: Turns,
}

/// How often a loop takes turns. `at_most` turns without an end are a fault.
#[derive(Debug, Clone, PartialEq)]
pub enum Turns {
    /// Until the condition holds, which is judged after each turn.
    Until(Guard, u32),
    /// While the condition holds, which is judged before each turn.
    While(Guard, u32),
    /// This number of turns.
    Times(u32),
}

/// A list of steps for each element that a selector matches.
#[derive(Debug, Clone, PartialEq)]
pub struct ForEach {
    /// The step that brings one record for each element.
    pub elements: Plain,
    /// The steps for an element, with selectors relative to it.
    pub steps: Vec<Statement>,
    /// More elements are a fault.
    pub at_most: u32,
}

/// A list of steps, and another one if it fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    /// The steps that may fail.
    pub steps: Vec<Statement>,
    /// The steps after a fault of the job's own.
    pub catch: Vec<Statement>,
}

impl From<Step> for Statement {
    fn from(step: Step) -> Self {
        Self::Step(Plain::literal(step))
    }
}

impl Statement {
    /// Calls `see` with each plain step in this statement: those of conditions and of inner lists too, but not those of
    /// procedures.
    fn visit<'s>(&'s self, see: &mut impl FnMut(&'s Plain)) {
        match self {
            Self::Step(plain) | Self::Append(plain) => see(plain),
            Self::If(branch) => branch.condition.visit(see),
            Self::Repeat(Repeat { turns: Turns::Until(guard, _) | Turns::While(guard, _), .. }) => {
                guard.visit(see);
            }
            Self::ForEach(each) => see(&each.elements),
            Self::Repeat(_) | Self::Try(_) | Self::Use(_) => {}
        }
        self.lists().into_iter().flatten().for_each(|statement| statement.visit(see));
    }

    fn has_elements(&self) -> bool {
        matches!(self, Self::ForEach(_)) || self.lists().into_iter().flatten().any(Self::has_elements)
    }

    /// The lists of statements in this one.
    #[must_use]
    pub fn lists(&self) -> [&[Self]; 2] {
        match self {
            Self::Step(_) | Self::Append(_) | Self::Use(_) => [&[], &[]],
            Self::If(If { then, otherwise, .. }) => [then, otherwise],
            Self::Repeat(Repeat { steps, .. }) | Self::ForEach(ForEach { steps, .. }) => [steps, &[]],
            Self::Try(Try { steps, catch }) => [steps, catch],
        }
    }

    /// Calls `edit` with each step in the lists of this statement that is not part of its control flow.
    fn edit(&mut self, edit: &mut impl FnMut(&mut Step)) {
        let lists: [&mut [Self]; 2] = match self {
            Self::Step(plain) => return plain.edit(edit),
            Self::Append(_) | Self::Use(_) => return,
            Self::If(If { then, otherwise, .. }) => [then, otherwise],
            Self::Repeat(Repeat { steps, .. }) | Self::ForEach(ForEach { steps, .. }) => [steps, &mut []],
            Self::Try(Try { steps, catch }) => [steps, catch],
        };
        lists.into_iter().flatten().for_each(|statement| statement.edit(edit));
    }
}
