use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::*;

fn value(text: &str) -> Result<Value, String> {
    let node = document(Path::new("f"), text).map_err(|problem| problem.to_string())?.expect("a document");
    let (read, _) = typed::read(&node);
    read.map_err(|mistake| Problem::of_mistake(Path::new("f"), &mistake).to_string())
}

/// A file whose only list is of numbers.
fn items(text: &str) -> Result<(Vec<String>, Vec<Problem>), String> {
    let file = ListFile { list: "items", keys: &["source", "items"], unknown_keys: UnknownKeys::DoesNothing };
    let mut items = Vec::new();
    let told = file.read(Path::new("f"), text.as_bytes(), MostText::OfRequest, |entry| {
        items.push(match entry.read::<u8>() {
            (Ok(number), _) => number.to_string(),
            (Err(mistake), _) => mistake.to_string(),
        });
        Ok(())
    });
    told.map(|told| (items, told)).map_err(|problem| problem.to_string())
}

#[test]
fn scalars_are_what_their_quotes_and_tags_say() {
    let text = "a: 1\nb: '1'\nc: !!str 1\nd: ! 1\ne: !!int '1'\nf: ~\ng: ''\nh: yes\ni: |\n  1\nj: 1.10\nk: !own 1\n";
    let wanted = json!({
        "a": 1, "b": "1", "c": "1", "d": "1", "e": 1, "f": null, "g": "", "h": true, "i": "1\n", "j": 1.1, "k": 1,
    });
    assert_eq!(value(text).unwrap(), wanted);
    let texts: BTreeMap<String, String> = read(Path::new("f"), "a: 1.10\nb: 0x1F\nc: yes\n").unwrap();
    assert_eq!(texts.values().collect::<Vec<_>>(), ["1.10", "0x1F", "yes"]);
}

#[test]
fn aliases_and_merges_stand_for_what_they_name() {
    let text = "base: &b {x: 1, y: 2}\nsame: *b\nmore: {<<: *b, y: 3}\nmost: {y: 4, <<: [*b, {z: 5, x: 6}]}\n";
    let json = value(text).unwrap();
    assert_eq!(json["same"], json!({"x": 1, "y": 2}));
    assert_eq!(json["more"], json!({"x": 1, "y": 3}));
    assert_eq!(json["most"], json!({"x": 1, "y": 4, "z": 5}));
    assert_eq!(value("a: {<<: 3}").unwrap_err(), "f:1:9: `<<` wants a map, or a list of maps");
    assert!(value("a: &a [*a]").unwrap_err().starts_with("f:1:8: an alias within what it stands for"));
    assert!(value("a: *nowhere").unwrap_err().starts_with("f:1:4: "));
}

#[test]
fn mistakes_say_where_they_are() {
    for (text, wanted) in [
        ("a: {b: 1, c: 2, b: 3}", "f:1:17: `a.b`: the key is there already, in line 1"),
        ("a: {[1]: 2}", "f:1:5: `a`: expected a text, found a list"),
        ("a: {b: \"x\\0y\"}", "f:1:8: `a.b`: expected a text without null characters, found `x\\0y`"),
        ("a: {\"b\\nc\": \"d\\ne\", \"b\\nc\": 1}", "f:1:21: `a.b\\nc`: the key is there already, in line 1"),
        ("a: [1", "f:1:4: unclosed bracket '['"),
        ("a: 1\n---\nb: 1", "f:2:1: a second document begins here: a file holds one"),
    ] {
        let told = value(text).unwrap_err();
        assert!(told.starts_with(wanted), "{text}: {told}");
    }
}

#[test]
fn a_list_is_read_item_by_item() {
    let (read, told) = items("source: x\nitmes: [9]\nitems: [1, x, [2], &a 3, *a, 300]\n").unwrap();
    let wanted = [
        "1",
        "expected a whole number, found `x`",
        "expected a whole number, found a list",
        "3",
        "3",
        "expected a whole number, found `300`",
    ];
    assert_eq!(read, wanted);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].to_string(), "f:2:1: unknown key `itmes`: it does nothing, did you mean `items`?");
    for empty in ["", "# nothing\n", "~", "items:", "items: []", "{}"] {
        assert_eq!(items(empty), Ok((Vec::new(), Vec::new())), "{empty}");
    }
    for (text, wanted) in [
        ("items: [1]\nitems: [2]\n", "f:2:1: `items`: the key is there already, in line 1"),
        ("items: {a: 1}", "f:1:8: `items`: expected a list, found a map"),
        ("[1]", "f:1:1: expected a map with the list `items`"),
        ("items: [1]\n---\nitems: [2]\n", "f:2:1: a second document begins here: a file holds one"),
    ] {
        assert_eq!(items(text).unwrap_err(), wanted, "{text}");
    }
}

#[test]
fn what_grows_without_bound_is_refused() {
    let deep = format!("items: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(items(&deep).unwrap_err(), "f:1:263: more than 32 lists and maps within each other");
    let mut bomb = String::from("items:\n- &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        writeln!(bomb, "- &a{level} [{}]", [previous.as_str(); 9].join(", ")).unwrap();
    }
    let told = items(&bomb).unwrap_err();
    assert!(told.ends_with("aliases stand for more than 1000000 values: write less with them"), "{told}");
    let long = format!("items:\n- &a {}\n{}", "x".repeat(1 << 20), "- *a\n".repeat(64));
    let told = items(&long).unwrap_err();
    assert_eq!(told, "f:65:3: the texts come to more than 64 MiB with what aliases stand for");
    let many = format!("items: [{}]", "&a 1, *a, ".repeat(10_001));
    assert!(items(&many).unwrap_err().contains("more than 10000 a"), "aliases or anchors");
    let wide = format!("items:\n- [{}]\n", "1,".repeat(1_000_001));
    assert!(items(&wide).unwrap_err().contains("more than 1000000 values in one item"));
}

// The library below makes events only; the one above it makes values of them, too.
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
                let wanted: Result<Value, _> = serde_saphyr::from_str(&text);
                assert_eq!(value(&text).ok(), wanted.ok(), "{}", path.display());
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
        let wanted: Result<Value, _> = serde_saphyr::from_str(text);
        assert_eq!(value(text).ok(), wanted.ok(), "{text}");
    }
    // A number that no number is: there, nothing can be read.
    assert_eq!(value("a: 1e999999").unwrap(), json!({"a": "1e999999"}));
}
