//! Keeps passwords of URLs off the screen, whoever put them into a text.

/// The text without the passwords of URLs in it: neither `user:password@` nor `password=`.
pub(super) fn redact(text: &str) -> String {
    without_parameter(&without_userinfo(text))
}

fn without_userinfo(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out += before;
        // A password may hold anything but white space; the last `@` before that ends it.
        let word = after.find(char::is_whitespace).unwrap_or(after.len());
        let url = &after[..word];
        let user = url.find([':', '@']);
        match (user, url.rfind('@')) {
            (Some(colon), Some(end)) if colon < end => {
                out += &url[..colon];
                out += ":***";
                rest = &after[end..];
            }
            _ => rest = after,
        }
    }
    out + rest
}

fn without_parameter(text: &str) -> String {
    const NAME: &str = "password=";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(NAME) {
        let (before, after) = rest.split_at(at + NAME.len());
        out += before;
        out += "***";
        let ends = |c: char| c == '&' || c == '\'' || c == '"' || c.is_whitespace();
        rest = &after[after.find(ends).unwrap_or(after.len())..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn no_password_of_a_url_is_left() {
        for (text, shown) in [
            ("postgres://u:pw@h/d", "postgres://u:***@h/d"),
            (
                "'mysql://u:p@:w/@h:1/d' and on",
                "'mysql://u:***@h:1/d' and on",
            ),
            ("a://u:x@h b://v:y@i", "a://u:***@h b://v:***@i"),
            (
                "a://h/d?user=u&password=pw&x=1",
                "a://h/d?user=u&password=***&x=1",
            ),
            ("a://u@h/d:e", "a://u@h/d:e"),
            ("sqlite://a:b/c", "sqlite://a:b/c"),
            ("no url: at all@home", "no url: at all@home"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }
}
