//! The list of all methods.

use super::{Method, MethodInfo, control, invoices};

/// Every method declared in this crate, by name.
pub fn registry() -> &'static [MethodInfo] {
    REGISTRY
}

/// The method with this name.
pub fn find(name: &str) -> Option<&'static MethodInfo> {
    let index = REGISTRY.binary_search_by(|info| info.name.cmp(name)).ok()?;
    REGISTRY.get(index)
}

const REGISTRY: &[MethodInfo] = &[
    control::getinfo::Getinfo::INFO,
    control::help::Help::INFO,
    invoices::invoice::Invoice::INFO,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_method_is_found() {
        assert!(REGISTRY.is_sorted_by(|a, b| a.name < b.name));
        for info in REGISTRY {
            assert_eq!(find(info.name).map(|found| found.name), Some(info.name));
        }
        assert!(find("no-such-method").is_none());
    }

    #[test]
    fn every_method_has_a_manual() {
        for info in REGISTRY {
            assert!(!info.summary().is_empty(), "{}", info.name);
            for param in info.params {
                assert!(!param.doc.is_empty(), "{} {}", info.name, param.name);
            }
            let optional = info.params.iter().skip_while(|param| param.required);
            for param in optional {
                assert!(
                    !param.required,
                    "{}: {} after optional ones",
                    info.name, param.name
                );
            }
        }
    }
}
