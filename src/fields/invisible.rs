//! Characters that show nothing, and those that turn the text around.

/// Whether a character is one that Unicode tells renderers to show as nothing: zero-width spaces
/// and joiners, variation selectors, fillers, tags.
///
/// The ranges are the property `Default_Ignorable_Code_Point` of Unicode 16
/// (DerivedCoreProperties.txt). The property covers unassigned places in advance, so the table
/// does not age with new versions.
pub(super) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a character is blank and joins nothing, so that it can go from the ends of a name:
/// white space, zero-width spaces, the byte order mark and the empty braille cell.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{2800}')
}

/// Whether a character embeds, overrides or isolates the direction of the text after it, by which
/// a name can be made to read as another (UAX #9). The marks U+200E, U+200F and U+061C only give
/// a hint at their own place and are not among them.
pub(super) fn is_bidi_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
