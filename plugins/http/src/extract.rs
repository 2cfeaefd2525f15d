//! `extract`: reads all fields of the step.

use std::collections::BTreeMap;

use plimsoll_core::outcome::Fault;
use plimsoll_core::step::{Extract, Field, Take};
use serde_json::{Map, Value};
use url::Url;

use crate::dom::ElementRef;
use crate::page::Page;
use crate::rendered;
use crate::selector::{Finder, Selector, SelectorError};
use crate::work_budget::{BudgetExceeded, WorkBudget};
use plimsoll_core::runtime::budget::Budget;

/// A field with parsed selectors.
enum Plan {
    One(Selector, Take),
    All(Selector, Take),
    Records(Selector, Vec<(String, Self)>),
}

/// Reads the step's fields.
pub(crate) fn extract(page: &Page, step: &Extract, budget: Budget) -> Result<Map<String, Value>, Fault> {
    let plan = planned(&step.fields)?;
    let mut reader = Reader { page, finder: Finder::new(page.dom()), work: WorkBudget::new(budget) };
    reader.record(None, &plan).map_err(|exceeded| exceeded.fault("extract", budget))
}

fn planned(fields: &BTreeMap<String, Field>) -> Result<Vec<(String, Plan)>, SelectorError> {
    let plan = |field: &Field| {
        Ok(match field {
            Field::One { selector, take } => Plan::One(Selector::parse(selector)?, take.clone()),
            Field::All { selector, take } => Plan::All(Selector::parse(selector)?, take.clone()),
            Field::Records { selector, fields } => {
                Plan::Records(Selector::parse(selector)?, planned(fields)?)
            }
        })
    };
    fields.iter().map(|(name, field)| Ok((name.clone(), plan(field)?))).collect()
}

struct Reader<'a> {
    page: &'a Page,
    finder: Finder<'a>,
    work: WorkBudget,
}

impl<'a> Reader<'a> {
    fn record(
        &mut self,
        scope: Option<ElementRef<'a>>,
        fields: &[(String, Plan)],
    ) -> Result<Map<String, Value>, BudgetExceeded> {
        fields.iter().map(|(name, plan)| Ok((name.clone(), self.field(scope, plan)?))).collect()
    }

    fn field(&mut self, scope: Option<ElementRef<'a>>, plan: &Plan) -> Result<Value, BudgetExceeded> {
        match plan {
            Plan::One(selector, take) => {
                let found = self.finder.find(selector, scope, 1, &mut self.work)?;
                found.first().map_or(Ok(Value::Null), |element| self.taken(*element, take))
            }
            Plan::All(selector, take) => {
                let found = self.finder.find(selector, scope, usize::MAX, &mut self.work)?;
                found.into_iter().map(|element| self.taken(element, take)).collect()
            }
            Plan::Records(selector, fields) => {
                let found = self.finder.find(selector, scope, usize::MAX, &mut self.work)?;
                found
                    .into_iter()
                    .map(|element| self.record(Some(element), fields).map(Value::Object))
                    .collect()
            }
        }
    }

    fn taken(&mut self, element: ElementRef<'a>, take: &Take) -> Result<Value, BudgetExceeded> {
        self.work.look()?;
        let value = match take {
            Take::Text => rendered::trim(&rendered::text(element, &mut self.work)?).to_owned(),
            Take::Html => element.inner_html(),
            Take::Attribute(name) => match element.attribute_of_any_case(name) {
                Some(value) if is_address(name) => absolute(self.page.base(), value),
                Some(value) => value.to_owned(),
                None => return Ok(Value::Null),
            },
        };
        self.work.charge(value.len())?;
        Ok(value.into())
    }
}

fn is_address(name: &str) -> bool {
    name.eq_ignore_ascii_case("href") || name.eq_ignore_ascii_case("src")
}

fn absolute(base: &Url, address: &str) -> String {
    base.join(address).map_or_else(|_| address.to_owned(), Into::into)
}
