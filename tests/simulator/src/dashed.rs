//! Names for people: `CpuDip` becomes `cpu-dip`.

use std::fmt::Debug;

/// The name of a variant, in lower case and with dashes.
pub(crate) fn dashed(variant: &impl Debug) -> String {
    let camel = format!("{variant:?}");
    let letters = camel.char_indices().map(|(at, letter)| {
        let dash = if at > 0 && letter.is_uppercase() { "-" } else { "" };
        format!("{dash}{}", letter.to_ascii_lowercase())
    });
    letters.collect()
}
