//! Ids of requests to plugins.

use serde_json::value::RawValue;

/// The id of a request: `cln:METHOD#NUMBER`, behind the id of the request it is made for, as Core Lightning has it.
pub(super) fn request_id(asker: Option<&RawValue>, method: &str, number: u64) -> String {
    let own = format!("cln:{method}#{number}");
    let Some(asker) = asker else {
        return own;
    };
    let raw = asker.get();
    let bare = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(raw);
    let plain = |c: char| !c.is_control() && c != '\\' && c != '"';
    let shown = if bare.chars().all(plain) {
        bare
    } else {
        "weird-id"
    };
    format!("{shown}/{own}")
}

/// The method in an id of a request.
pub(super) fn asked_method(id: &str) -> &str {
    let own = id.rsplit_once("cln:").map_or(id, |(_, own)| own);
    own.rsplit_once('#').map_or(own, |(method, _)| method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_who_asked() {
        let id = |asker: Option<&str>| {
            let asker: Option<&RawValue> = asker.map(|asker| serde_json::from_str(asker).unwrap());
            request_id(asker, "hello", 7)
        };
        assert_eq!(id(None), "cln:hello#7");
        assert_eq!(asked_method("cli:x#1/cln:hello#7"), "hello");
        assert_eq!(id(Some("\"cli:hello#1\"")), "cli:hello#1/cln:hello#7");
        assert_eq!(id(Some("12")), "12/cln:hello#7");
        assert_eq!(id(Some(r#""a\nb""#)), "weird-id/cln:hello#7");
    }
}
