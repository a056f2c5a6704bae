//! Licences by the names people know them by.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Names that differ from those of the SPDX list (parity, catalog-service 3.8).
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
    // The later entry of a map wins.
    listed.chain(OVERRIDES.map(|(id, name)| (id.to_owned(), name))).collect()
});

/// The readable name of a licence; what is no known id stays as it is.
pub(crate) fn readable(license: &str) -> String {
    let license = license.trim();
    NAMES.get(&license.to_lowercase()).map_or_else(|| license.to_owned(), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_get_names_and_names_stay() {
        assert_eq!(readable(" Apache-2.0 "), "Apache 2.0");
        assert_eq!(readable("agpl-3.0"), "GNU Affero General Public License v3.0");
        assert_eq!(readable("isc"), "ISC License");
        assert_eq!(readable("Oriel Research License"), "Oriel Research License");
    }
}
