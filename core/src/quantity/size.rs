//! Amounts of memory, as in `"512MiB"`.

use crate::units::Bytes;
use bytesize::ByteSize;
use serde::Serializer;

use super::{Quantity, written};

/// An amount of memory, for `#[schemars(with = "...")]`.
pub struct Size;

impl Quantity for Size {
    type Value = Bytes;
    const EXPECTED: &'static str = "an amount of memory such as \"512MiB\" or \"2GiB\"";

    fn from_text(text: &str) -> Option<Bytes> {
        // A number without a unit would be bytes, which nobody means.
        let has_unit = text.ends_with(|last: char| last.is_ascii_alphabetic());
        text.parse::<ByteSize>().ok().filter(|_| has_unit).map(|size| Bytes(size.as_u64()))
    }
}

written!(Size: Bytes, {
    "type": "string",
    "pattern": r"^\s*\d+(\.\d+)?\s*([kKMGT]i?)?B?\s*$",
    "x-unit": "size",
    "x-least": "0B",
    "x-most": "1024TiB"
});

/// Writes the largest unit of which the amount is a whole number.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(size: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fits = UNITS.into_iter().find(|(unit, _)| size.0 > 0 && size.0.is_multiple_of(*unit));
    let (unit, name) = fits.unwrap_or((1, "B"));
    serializer.collect_str(&format_args!("{}{name}", size.0 / unit))
}
