use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::{Value, json};

use super::*;

fn value(text: &str) -> Result<Value, String> {
    let node = document(Path::new("f"), text).map_err(|problem| problem.to_string())?.expect("a document");
    let (read, _) = deserializer::read(&node);
    read.map_err(|error| Problem::of_read_error(Path::new("f"), &error).to_string())
}

/// A file whose only list is of numbers.
fn items(text: &str) -> Result<(Vec<String>, Vec<Problem>), String> {
    let file = ListFile { list: "items", other_keys: &["source"] };
    let mut items = Vec::new();
    let notices = file.read(Path::new("f"), text.as_bytes(), TextLimit::Request, |entry| {
        items.push(match entry.read::<u8>() {
            (Ok(number), _) => number.to_string(),
            (Err(error), _) => error.to_string(),
        });
        Ok(())
    });
    notices.map(|notices| (items, notices)).map_err(|problem| problem.to_string())
}

#[test]
fn quotes_and_tags_decide_the_type_of_a_scalar() {
    let text = "a: 1\nb: '1'\nc: !!str 1\nd: ! 1\ne: !!int '1'\nf: ~\ng: ''\nh: yes\ni: |\n  1\nj: 1.10\nk: !own 1\n";
    let expected = json!({
        "a": 1, "b": "1", "c": "1", "d": "1", "e": 1, "f": null, "g": "", "h": true, "i": "1\n", "j": 1.1, "k": 1,
    });
    assert_eq!(value(text).unwrap(), expected);
    let node = document(Path::new("f"), "a: 1.10\nb: 0x1F\nc: yes\n").unwrap().unwrap();
    let strings = deserializer::read::<BTreeMap<String, String>>(&node).0.unwrap();
    assert_eq!(strings.values().collect::<Vec<_>>(), ["1.10", "0x1F", "yes"]);
}

#[test]
fn aliases_and_merge_keys_expand_to_their_anchors() {
    let text = "base: &b {x: 1, y: 2}\nsame: *b\nmore: {<<: *b, y: 3}\nmost: {y: 4, <<: [*b, {z: 5, x: 6}]}\n";
    let json = value(text).unwrap();
    assert_eq!(json["same"], json!({"x": 1, "y": 2}));
    assert_eq!(json["more"], json!({"x": 1, "y": 3}));
    assert_eq!(json["most"], json!({"x": 1, "y": 4, "z": 5}));
    assert_eq!(value("a: {<<: 3}").unwrap_err(), "f:1:9: `<<` needs a map or a list of maps");
    assert!(value("a: &a [*a]").unwrap_err().starts_with("f:1:8: an alias refers to a value that contains it"));
    assert!(value("a: *nowhere").unwrap_err().starts_with("f:1:4: "));
}

#[derive(Debug, Deserialize)]
struct Known {
    known: Option<u8>,
}

/// Each of these takes hours, or gigabytes, if its cost is the product of two numbers in the file.
#[test]
fn the_cost_of_a_file_is_in_proportion_to_its_length() {
    let keys = |prefix: &str| (0..30_000).map(|number| format!("{prefix}{number}: 1, ")).collect::<Vec<_>>().concat();
    let text = format!("base: &b {{{}}}\nmore: {{{} <<: *b}}\n", keys("a"), keys("b"));
    assert_eq!(value(&text).unwrap()["more"].as_object().unwrap().len(), 60_000);

    let long = "x".repeat(1 << 20);
    let node = document(Path::new("f"), &format!("? {long}\n: {{{}}}\n", keys("y"))).unwrap().unwrap();
    let (read, unknown) = deserializer::read::<BTreeMap<String, Known>>(&node);
    assert!(read.unwrap().values().all(|read| read.known.is_none()));
    assert_eq!(unknown.len(), 100);
    assert!(unknown.iter().all(|unknown| unknown.to_string().len() < 300), "{}", unknown[0]);
}

#[test]
fn errors_have_a_position() {
    for (text, expected) in [
        ("a: {b: 1, c: 2, b: 3}", "f:1:17: `a.b`: duplicate key, first in line 1"),
        ("a: {[1]: 2}", "f:1:5: `a`: expected a string, found a list"),
        ("a: {b: \"x\\0y\"}", "f:1:8: `a.b`: expected a string without null characters, found `x\\0y`"),
        ("a: {\"b\\nc\": \"d\\ne\", \"b\\nc\": 1}", "f:1:21: `a.b\\nc`: duplicate key, first in line 1"),
        ("a: [1", "f:1:4: unclosed bracket '['"),
        ("a: 1\n---\nb: 1", "f:2:1: a second document starts here: only one per file is supported"),
    ] {
        let error = value(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn a_list_is_read_item_by_item() {
    let (read, notices) = items("source: x\nitmes: [9]\nitems: [1, x, [2], &a 3, *a, 300]\n").unwrap();
    let expected = [
        "1",
        "expected a whole number, found `x`",
        "expected a whole number, found a list",
        "3",
        "3",
        "expected a whole number, found `300`",
    ];
    assert_eq!(read, expected);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].to_string(), "f:2:1: unknown key `itmes`, which is ignored, did you mean `items`?");
    assert_eq!(items("items: []"), Ok((Vec::new(), Vec::new())));
    for (text, expected) in [
        ("items: [1]\nitems: [2]\n", "f:2:1: `items`: duplicate key, first in line 1"),
        ("items: {a: 1}", "f:1:8: `items`: expected a list, found a map"),
        ("[1]", "f:1:1: expected a map with the list `items`"),
        ("items: [1]\n---\nitems: [2]\n", "f:2:1: a second document starts here: only one per file is supported"),
    ] {
        assert_eq!(items(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn a_file_without_its_list_is_an_error_that_says_how_to_publish_nothing() {
    let advice = ": nothing is changed; write `items: []` to publish nothing";
    for (text, expected) in [
        ("", "f: is empty"),
        ("# nothing\n", "f: is empty"),
        ("~", "f: is empty"),
        ("---\n...\n", "f: is empty"),
        ("{}", "f:1:1: lacks the list `items`"),
        ("source: x\n", "f:1:1: lacks the list `items`"),
        ("items:", "f:1:6: `items`: expected a list, found nothing"),
        ("items: ~\nsource: x\n", "f:1:8: `items`: expected a list, found nothing"),
        (
            "source: x\nitmes: [1]\nmodels: [2]\n",
            "f:2:1: lacks the list `items` (unknown key `itmes`, did you mean `items`?; unknown key `models`)",
        ),
    ] {
        assert_eq!(items(text).unwrap_err(), format!("{expected}{advice}"), "{text}");
    }
}

#[test]
fn limits_reject_nesting_aliases_and_long_documents() {
    let deep = format!("items: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(items(&deep).unwrap_err(), "f:1:263: lists and maps are nested more than 32 levels deep");
    let mut bomb = String::from("items:\n- &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        writeln!(bomb, "- &a{level} [{}]", [previous.as_str(); 9].join(", ")).unwrap();
    }
    let error = items(&bomb).unwrap_err();
    assert!(error.ends_with("aliases expand to more than 1000000 values: use fewer"), "{error}");
    let long = format!("items:\n- &a {}\n{}", "x".repeat(1 << 20), "- *a\n".repeat(64));
    let error = items(&long).unwrap_err();
    assert_eq!(error, "f:65:3: more than 64 MiB of text after expanding aliases");
    let many = format!("items: [{}]", "&a 1, *a, ".repeat(10_001));
    assert!(items(&many).unwrap_err().contains("more than 10000 a"), "aliases or anchors");
    let wide = format!("items:\n- [{}]\n", "1,".repeat(1_000_001));
    assert!(items(&wide).unwrap_err().contains("more than 1000000 values in one item"));
}

// serde-saphyr uses the same parser and has its own composer: both have to agree.
#[test]
fn documents_are_read_as_serde_saphyr_reads_them() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut compared = 0;
    let mut directories =
        vec![crates.join("catalog-sources/sample"), crates.join("catalog/tests"), crates.join("registry/tests")];
    while let Some(directory) = directories.pop() {
        for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).unwrap();
                let expected: Result<Value, _> = serde_saphyr::from_str(&text);
                assert_eq!(value(&text).ok(), expected.ok(), "{}", path.display());
                compared += 1;
            }
        }
    }
    assert!(compared > 10, "{compared}");
}

#[test]
fn documents_of_many_forms_are_read_as_serde_saphyr_reads_them() {
    for text in [
        "a: b: c",
        "a: 'it''s'\nb: \"tab\\t\\u00e9\\x41\\\n  joined\"\n",
        "a: |\n  one\n   two\n\nb: >-\n  one\n  two\n\n  three\nc: |+\n  kept\n\n",
        "- - 1\n  - 2\n- {a: [b, {c: d}], ? e : f}\n-\n- ~\n",
        "? a\n: - b\n  - c\n",
        "a: # comment\n  - b # another\n\n# last\n",
        "%YAML 1.2\n---\na: 1\n...\n",
        "\u{feff}a: 1\n",
        "a: plain text\n  over lines\nb: x#y\nc: http://x.example/?q=1&r=2\n",
        "a: 0o17\nb: 0b11\nc: 1_000\nd: +1\ne: .5\nf: 1.\ng: 0.1e-5\nh: 007\ni: -0\nj: 12:30\n",
        "a: True\nb: NO\nc: y\nd: Null\ne: NULL\nf: nUll\ng: off\n",
        "a: !!float 1.5\nb: !!bool 'yes'\nc: !!null ''\nd: !!seq [1]\ne: !!map {a: 1}\n",
        "a: \tx\n",
        "\ta: x\n",
        "a: [1, 2,]\nb: {c: 1,}\n",
        "a: @x",
        "a: `x`",
        "a: *b\nb: &b 1\n",
        "x: &x {a: 1}\ny: {<<: *x, a: 2}\nz: {<<: [*x, *x]}\n",
    ] {
        let expected: Result<Value, _> = serde_saphyr::from_str(text);
        assert_eq!(value(text).ok(), expected.ok(), "{text}");
    }
    // serde-saphyr rejects this number.
    assert_eq!(value("a: 1e999999").unwrap(), json!({"a": "1e999999"}));
}

/// The items of a list as serde-saphyr reads them when the caller goes on after an error.
struct Continued(Vec<Result<BTreeMap<String, u8>, String>>);

impl<'de> Deserialize<'de> for Continued {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Continued;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Continued, A::Error> {
                let mut items = Vec::new();
                while items.len() < 10 {
                    match list.next_element() {
                        Ok(Some(item)) => items.push(Ok(item)),
                        Ok(None) => break,
                        Err(error) => items.push(Err(error.to_string())),
                    }
                }
                Ok(Continued(items))
            }
        }

        deserializer.deserialize_seq(Items)
    }
}

// The reason for the composer: when this test fails, serde-saphyr may be able to do without it.
#[test]
fn serde_saphyr_alone_loses_the_items_after_a_bad_one() {
    let text = "- {a: 1}\n- {a: x, b: 2}\n- {a: 3}\n";
    let continued = serde_saphyr::from_str::<Continued>(text).map(|Continued(items)| items);
    let is_third_read = continued.is_ok_and(|items| items.len() == 3 && items[1].is_err() && items[2].is_ok());
    assert!(!is_third_read);
    // Reading items as generic values first loses the spelling of scalars, and their positions.
    let generic: Value = serde_saphyr::from_str("version: 1.10").unwrap();
    assert_eq!(generic["version"].to_string(), "1.1");
}

#[derive(Deserialize)]
struct MeasuredFile {
    models: Vec<MeasuredModel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MeasuredModel {
    name: String,
    description: String,
    readme: String,
    tasks: Vec<String>,
    custom_properties: BTreeMap<String, BTreeMap<String, String>>,
}

impl MeasuredModel {
    fn size(&self) -> usize {
        self.name.len() + self.description.len() + self.readme.len() + self.tasks.len() + self.custom_properties.len()
    }
}

#[test]
#[ignore = "a measurement: cargo test --release -p model-registry-catalog-sources --lib -- --ignored --nocapture measure_"]
fn measure_reading_item_by_item_and_serde_saphyr_alone() {
    const MODELS: usize = 20_000;
    let mut text = String::from("source: Measured\nmodels:\n");
    for number in 0..MODELS {
        write!(
            text,
            "- name: acme/model-{number}\n  description: 'Model {number} finds fraud in transactions'\n  readme: |\n    \
             # Model {number}\n\n    It finds fraud.\n    {}\n  tasks: [text-classification, summarization]\n  \
             customProperties:\n    size: {{metadataType: MetadataStringValue, string_value: 7B}}\n    \
             rank: {{metadataType: MetadataIntValue, int_value: '{number}'}}\n",
            "It was trained on many records. ".repeat(20),
        )
        .unwrap();
    }
    let megabytes = text.len() / 1_000_000;
    for _ in 0..3 {
        let started = std::time::Instant::now();
        let file = ListFile { list: "models", other_keys: &["source"] };
        let mut size = 0;
        let read = file.read(Path::new("f"), text.as_bytes(), TextLimit::Source, |entry| {
            size += entry.read::<MeasuredModel>().0.unwrap().size();
            Ok(())
        });
        read.unwrap();
        let item_by_item = started.elapsed();
        let started = std::time::Instant::now();
        let unlimited = serde_saphyr::options! { budget: None };
        let whole: MeasuredFile = serde_saphyr::from_reader_with_options(text.as_bytes(), unlimited).unwrap();
        let alone = started.elapsed();
        assert_eq!(size, whole.models.iter().map(MeasuredModel::size).sum::<usize>());
        println!("{megabytes} MB: item by item {item_by_item:?}, serde-saphyr alone {alone:?}");
    }
}
