use serde_json::json;

use super::*;

const DIRECTORY: &str = "rollback";

fn parse(text: &str) -> Result<SkillFile, SkillFileError> {
    SkillFile::parse(text.as_bytes(), DIRECTORY)
}

/// Parses a file with this front matter.
fn with(front_matter: &str) -> SkillFile {
    parse(&format!("---\n{front_matter}\n---\n")).unwrap_or_else(|error| panic!("{front_matter}: {error}"))
}

#[test]
fn a_file_is_read_with_its_warnings() {
    let text = "---\nname: roll-back\ndescription: Undo the last release.\nallowed-tools: Bash(helm:*) Read\n\
                metadata: none\n---\n\n# Steps\n1. ...\n\n";
    assert_eq!(
        parse(text).unwrap(),
        SkillFile {
            name: "roll-back".to_owned(),
            description: "Undo the last release.".to_owned(),
            license: None,
            compatibility: None,
            allowed_tools: Some(vec!["Bash(helm:*)".to_owned(), "Read".to_owned()]),
            metadata: None,
            body: "# Steps\n1. ...".to_owned(),
            body_line_count: 2,
            warnings: vec![
                "frontmatter field \"metadata\" is not a map and was ignored".to_owned(),
                "frontmatter name \"roll-back\" does not match directory \"rollback\"".to_owned(),
            ],
        }
    );
}

#[test]
fn the_first_line_has_to_be_a_fence() {
    for text in [
        "",
        "# Steps\n",
        "\n---\ndescription: d\n---\n",
        "----\ndescription: d\n----\n",
        " ---\ndescription: d\n---\n",
        "--- x\ndescription: d\n---\n",
        "\0\u{1}\u{2}PNG",
        "---\rdescription: d\r---\r",
    ] {
        assert_eq!(parse(text), Err(SkillFileError::NoFrontMatter), "{text:?}");
    }
    assert_eq!(SkillFile::parse(&[0xff, 0xfe, 0x2d], "x"), Err(SkillFileError::NoFrontMatter));
    for text in [
        "---\ndescription: d\n---",
        "\u{feff}---\r\ndescription: d\r\n---\r\n",
        "--- \t\ndescription: d\n---  \n",
        "---\ndescription: |\n  d\n  ---\nlicense: MIT\n---\n",
    ] {
        assert!(parse(text).is_ok(), "{text:?}");
    }
}

#[test]
fn front_matter_that_is_not_a_map_is_invalid() {
    for (text, expected) in [
        ("---", "frontmatter opened with '---' but has no closing delimiter"),
        ("---\ndescription: d\n", "frontmatter opened with '---' but has no closing delimiter"),
        ("---\ndescription: d\n ---\n", "frontmatter opened with '---' but has no closing delimiter"),
        ("---\n- a\n---\n", "expected a map, found a list"),
        ("---\njust text\n---\n", "expected a map, found a scalar"),
        ("---\ndescription: d\nname: [\n---\n", "line "),
    ] {
        let error = parse(text).unwrap_err().to_string();
        let detail = error.strip_prefix("SKILL.md frontmatter is not valid YAML: ");
        assert!(detail.is_some_and(|detail| detail.starts_with(expected)), "{text:?}: {error}");
    }
    let error = SkillFile::parse(b"---\ndescription: \xff\n---\n", "x").unwrap_err();
    assert!(matches!(error, SkillFileError::InvalidFrontMatter(_)), "{error}");
}

#[test]
fn a_description_is_required() {
    for front_matter in ["", "name: x", "Description: d", "description:", "description: ' '", "description: 7"] {
        let error = parse(&format!("---\n{front_matter}\n---\n")).unwrap_err();
        assert_eq!(error, SkillFileError::NoDescription, "{front_matter:?}");
    }
    assert_eq!(with("description: ' d '").description, " d ");
}

#[test]
fn the_directory_is_the_name_where_there_is_none() {
    let missing = "frontmatter is missing 'name'; using directory name \"rollback\"";
    for (line, warnings) in [
        ("", vec![missing]),
        ("name:", vec![missing]),
        ("name: ''", vec![missing]),
        ("Name: x", vec![missing]),
        ("name: 123", vec!["frontmatter field \"name\" is not a string and was ignored", missing]),
        ("name: true", vec!["frontmatter field \"name\" is not a string and was ignored", missing]),
        ("name: rollback", vec![]),
        ("name: other\nname: rollback", vec![]),
    ] {
        let skill = with(&format!("description: d\n{line}"));
        assert_eq!(
            (skill.name.as_str(), skill.warnings),
            (DIRECTORY, warnings.iter().map(|w| (*w).to_owned()).collect())
        );
    }
    // Scalars of YAML 1.2.
    for name in ["yes", "2025-01-02", "off"] {
        assert_eq!(with(&format!("description: d\nname: {name}")).name, name);
    }
}

#[test]
fn strings_of_another_type_are_ignored_with_a_warning() {
    let skill = with("description: d\nname: rollback\nlicense: [MIT]\ncompatibility: 7\nother: {a: 1}");
    assert_eq!((skill.license, skill.compatibility), (None, None));
    let ignored = |field: &str| format!("frontmatter field \"{field}\" is not a string and was ignored");
    assert_eq!(skill.warnings, [ignored("license"), ignored("compatibility")]);
    let skill = with("description: d\nname: rollback\nlicense:\ncompatibility: needs git");
    assert_eq!((skill.license, skill.compatibility.as_deref(), skill.warnings.len()), (None, Some("needs git"), 0));
}

#[test]
fn allowed_tools_are_a_string_or_a_list() {
    let tools = |value: &str| with(&format!("description: d\nallowed-tools: {value}")).allowed_tools;
    let some = |tools: &[&str]| Some(tools.iter().map(|tool| (*tool).to_owned()).collect::<Vec<_>>());
    assert_eq!(tools("Read  Bash(git add:*)"), some(&["Read", "Bash(git", "add:*)"]));
    assert_eq!(tools("''"), some(&[]));
    assert_eq!(
        tools("['Bash(git add:*)', ' Read ', '', '  ', 7, null, yes]"),
        some(&["Bash(git add:*)", " Read ", "yes"])
    );
    assert_eq!((tools("[]"), tools("[7]"), tools("7"), tools("{a: b}"), tools("")), (None, None, None, None, None));
}

#[test]
fn metadata_keeps_its_types_and_keys() {
    let skill = with("description: d\nmetadata: {n: 1, y: 'two', ratio: 0.5, on: yes, deep: {a: [1]}, flag: true}");
    let expected = json!({"n": 1, "y": "two", "ratio": 0.5, "on": "yes", "deep": {"a": [1]}, "flag": true});
    assert_eq!(skill.metadata.map(Value::Object), Some(expected));
    assert_eq!(with("description: d\nmetadata:").metadata, None);
}

#[test]
fn long_values_are_kept_with_a_warning_in_characters() {
    let front_matter =
        format!("name: {}\ndescription: {}\ncompatibility: {}", "ü".repeat(65), "ü".repeat(1025), "ü".repeat(501));
    let text = format!("---\n{front_matter}\n---\n{}", "line\n".repeat(501));
    let skill = SkillFile::parse(text.as_bytes(), &"ü".repeat(65)).unwrap();
    assert_eq!(
        skill.warnings,
        [
            "name is 65 characters, which exceeds the maximum of 64",
            "description is 1025 characters, which exceeds the maximum of 1024",
            "compatibility is 501 characters, which exceeds the maximum of 500",
            "body is 501 lines, which exceeds the recommended maximum of 500",
        ]
    );
    let limits = format!(
        "---\nname: {}\ndescription: {}\ncompatibility: {}\n---\n{}",
        "ü".repeat(64),
        "ü".repeat(1024),
        "ü".repeat(500),
        "line\n".repeat(500)
    );
    assert_eq!(SkillFile::parse(limits.as_bytes(), &"ü".repeat(64)).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn the_body_loses_line_breaks_at_its_ends_only() {
    for (body, expected, lines) in [
        ("", "", 0),
        ("\n\n", "", 0),
        ("\n\n  a  \n\n\nb \n\n", "  a  \n\n\nb ", 4),
        ("a\r\nb\rc\r\n", "a\nb\rc", 2),
        ("a\n---\nb\n", "a\n---\nb", 3),
    ] {
        let skill = parse(&format!("---\ndescription: d\n---\n{body}")).unwrap();
        assert_eq!((skill.body.as_str(), skill.body_line_count), (expected, lines), "{body:?}");
    }
    let skill = SkillFile::parse(b"---\ndescription: d\nname: x\n---\na\xffb\n", "x").unwrap();
    assert_eq!((skill.body.as_str(), skill.warnings.len()), ("a\u{fffd}b", 1));
}
