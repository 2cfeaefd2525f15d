//! Builds lines of text: collapses white space and joins line breaks.

/// The text that is being built.
#[derive(Debug)]
pub(super) struct Lines {
    text: String,
    /// Line breaks to write before the next text; without further text they are dropped.
    breaks: u8,
    /// How the next white space is treated.
    space: Space,
    /// The number of enclosing elements that keep their white space.
    kept: u32,
}

/// What the line ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    /// Nothing yet: a space here is not shown.
    Start,
    /// A letter: a space here is shown if another letter follows.
    Letter,
    /// A letter and a space.
    Pending,
}

impl Lines {
    pub(super) const fn new(keeps_space: bool) -> Self {
        Self { text: String::new(), breaks: 0, space: Space::Start, kept: keeps_space as u32 }
    }

    pub(super) const fn keep_space(&mut self) {
        self.kept += 1;
    }

    pub(super) const fn collapse_space(&mut self) {
        self.kept -= 1;
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.kept > 0 {
            if !text.is_empty() {
                self.begin();
                self.text.push_str(text);
                self.space = if text.ends_with('\n') { Space::Start } else { Space::Letter };
            }
            return;
        }
        for c in text.chars() {
            if matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c') {
                if self.space == Space::Letter {
                    self.space = Space::Pending;
                }
            } else {
                self.begin();
                self.text.push(c);
                self.space = Space::Letter;
            }
        }
    }

    /// An inline element without text.
    pub(super) fn letter(&mut self) {
        if self.space == Space::Pending {
            self.begin();
        }
        self.space = Space::Letter;
    }

    /// An inline block.
    pub(super) fn open_box(&mut self) {
        self.letter();
        self.space = Space::Start;
    }

    pub(super) const fn close_box(&mut self) {
        self.space = Space::Letter;
    }

    /// Begins a line without a break.
    pub(super) const fn line_starts(&mut self) {
        self.space = Space::Start;
    }

    /// Requires at least this number of breaks before the next text.
    pub(super) fn breaks(&mut self, breaks: u8) {
        self.breaks = self.breaks.max(breaks);
        self.space = Space::Start;
    }

    /// `<br>`.
    pub(super) fn line_break(&mut self) {
        self.space = Space::Start;
        self.begin();
        self.text.push('\n');
    }

    pub(super) fn new_line(&mut self) {
        self.line_break();
    }

    pub(super) fn tab(&mut self) {
        self.space = Space::Start;
        self.begin();
        self.text.push('\t');
    }

    pub(super) fn end(self) -> String {
        self.text
    }

    /// Writes pending breaks and spaces.
    fn begin(&mut self) {
        let breaks = std::mem::take(&mut self.breaks);
        if !self.text.is_empty() {
            self.text.extend(std::iter::repeat_n('\n', breaks.into()));
        }
        if self.space == Space::Pending {
            self.text.push(' ');
        }
    }
}
