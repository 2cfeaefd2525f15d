//! Converts an offset in a text into a line and a column.

use super::error::Place;

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(super) fn new(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(end, _)| end + 1)).collect())
    }

    /// The place of the character at `offset` of the same `text`.
    pub(super) fn place(&self, text: &str, offset: usize) -> Place {
        let line = self.0.partition_point(|start| *start <= offset);
        let start = self.0[line - 1];
        let before = text.get(start..offset).unwrap_or_default();
        Place { column: Some(before.chars().count() as u64 + 1), ..Place::line(line as u64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_from_one_in_characters() {
        let text = "é=1\nab\n";
        let starts = LineStarts::new(text);
        let place = |offset| {
            let place = starts.place(text, offset);
            (place.line, place.column)
        };
        assert_eq!(place(0), (1, Some(1)));
        assert_eq!(place(2), (1, Some(2)));
        assert_eq!(place(4), (1, Some(4)));
        assert_eq!(place(5), (2, Some(1)));
        assert_eq!(place(8), (3, Some(1)));
    }
}
