//! Which of two forms a client would rather have: JSON, or a table for a spreadsheet.

use axum::http::{HeaderMap, header};

/// Whether a table (`text/csv`) is wanted more than JSON. Who wants neither gets JSON, as RFC 9110,
/// 12.5.1 allows.
pub(super) fn wants_csv(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    let accepted: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let accepted = accepted.join(",");
    let weight = |names: [&str; 3]| {
        let weights = names.into_iter().map(|name| weight_of(&accepted, name));
        weights.flatten().next().unwrap_or(0.0)
    };
    let csv = weight(["text/csv", "text/*", "*/*"]);
    csv > weight(["application/json", "application/*", "*/*"])
}

/// The weight that a header gives to one range.
fn weight_of(accepted: &str, range: &str) -> Option<f32> {
    let mut ranges = accepted.split(',').map(|one| one.split(';'));
    let mut parameters = ranges.find_map(|mut one| {
        let name = one.next()?.trim();
        name.eq_ignore_ascii_case(range).then_some(one)
    })?;
    let weight = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value)
    });
    Some(weight.map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_for_whoever_wants_it_more() {
        for (accepted, csv) in [
            ("text/csv", true),
            ("Text/CSV; header=present", true),
            ("text/csv, */*;q=0.1", true),
            ("application/json;q=0.5, text/csv;q=0.6", true),
            ("application/json, text/csv", false),
            ("text/csv;q=0, */*", false),
            ("text/html, */*;q=0.8", false),
            ("image/png", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accepted.parse().unwrap());
            assert_eq!(wants_csv(&headers), csv, "{accepted}");
        }
        assert!(!wants_csv(&HeaderMap::new()));
    }
}
