//! Display names of licences.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Names that differ from those of the SPDX list (parity: the Kubeflow Model Registry shows these).
const OVERRIDES: [(&str, &str); 18] = [
    ("apache-2.0", "Apache 2.0"),
    ("mit", "MIT"),
    ("bsd-2-clause", "BSD 2-Clause"),
    ("bsd-3-clause", "BSD 3-Clause"),
    ("gpl-2.0", "GPL 2.0"),
    ("gpl-3.0", "GPL 3.0"),
    ("lgpl-2.1", "LGPL 2.1"),
    ("lgpl-3.0", "LGPL 3.0"),
    ("bigscience-openrail-m", "BigScience OpenRAIL-M License"),
    ("openrail", "OpenRAIL License"),
    ("gemma", "Gemma License"),
    ("llama2", "Llama 2 Community License"),
    ("llama3", "Llama 3 Community License"),
    ("llama3.1", "Llama 3.1 Community License"),
    ("llama3.2", "Llama 3.2 Community License"),
    ("llama3.3", "Llama 3.3 Community License"),
    ("llama4", "Llama 4 Community License"),
    ("nvidia-open-model-license", "NVIDIA Open Model License"),
];

static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let listed = spdx::identifiers::LICENSES.iter().map(|license| (license.name.to_lowercase(), license.full_name));
    // Of two entries with the same key, the later one wins.
    listed.chain(OVERRIDES.map(|(id, name)| (id.to_owned(), name))).collect()
});

/// What a card writes where it names its licence elsewhere.
const OTHER: &str = "other";

/// The licences of a card as one string: display names, and `name` in the place of `other`. `None` without a licence.
pub(crate) fn shown(licenses: &[String], name: Option<&str>) -> Option<String> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let mut shown: Vec<String> = Vec::new();
    for license in licenses.iter().map(|license| license.trim()).filter(|license| !license.is_empty()) {
        let license = match name {
            Some(name) if license.eq_ignore_ascii_case(OTHER) => name.to_owned(),
            _ => display_name(license),
        };
        if !shown.contains(&license) {
            shown.push(license);
        }
    }
    if shown.is_empty() {
        return name.map(str::to_owned);
    }
    Some(shown.join(", "))
}

/// The display name of an SPDX identifier; any other string is returned unchanged.
pub(crate) fn display_name(license: &str) -> String {
    let license = license.trim();
    NAMES.get(&license.to_lowercase()).map_or_else(|| license.to_owned(), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_licences_are_joined_and_a_name_replaces_other() {
        let shown = |licenses: &[&str], name| {
            let licenses: Vec<String> = licenses.iter().map(|&license| license.to_owned()).collect();
            super::shown(&licenses, name)
        };
        assert_eq!(shown(&["apache-2.0", "mit"], None).as_deref(), Some("Apache 2.0, MIT"));
        assert_eq!(shown(&["Other"], Some("heron-1")).as_deref(), Some("heron-1"));
        assert_eq!(shown(&["mit", "other"], Some("heron-1")).as_deref(), Some("MIT, heron-1"));
        assert_eq!(shown(&["other"], Some(" ")).as_deref(), Some("other"));
        assert_eq!(shown(&["mit"], Some("MIT License")).as_deref(), Some("MIT"));
        assert_eq!(shown(&[], Some("heron-1")).as_deref(), Some("heron-1"));
        assert_eq!(shown(&[" "], None), None);
    }

    #[test]
    fn identifiers_get_display_names_and_other_strings_stay() {
        assert_eq!(display_name(" Apache-2.0 "), "Apache 2.0");
        assert_eq!(display_name("agpl-3.0"), "GNU Affero General Public License v3.0");
        assert_eq!(display_name("isc"), "ISC License");
        for id in ["atc-game", "bugroff", "cc-by-nc-3.0-igo", "informatica"] {
            assert_ne!(display_name(id), id);
        }
        assert_eq!(display_name("Oriel Research License"), "Oriel Research License");
    }
}
