//! Files with correct checksums, as another program could write them, and the errors found in them.

use model_registry_base::hex;
use sha2::{Digest, Sha256};

use super::*;

const HEADER: &str = r#"{"format":"model-registry-export","version":1"#;
const TIMES: &str = r#""revision":1,"createTime":1,"updateTime":1"#;

/// The statements of the last line about the others.
#[derive(Clone, Copy)]
struct Claims {
    counts: &'static str,
    /// Stated lines beyond the actual ones.
    more_lines: usize,
    digest: Option<&'static str>,
}

/// Completes lines without a closing brace with their checksums, and appends the last line.
fn sealed(lines: &[String], claims: Claims) -> String {
    let mut file = String::new();
    let seal = |file: &mut String, line: &str| {
        file.push_str(line);
        let check = hex(&Sha256::digest(&*file)[..4]);
        file.extend([r#","check":""#, &check, "\"}"]);
        file.push('\n');
    };
    seal(&mut file, HEADER);
    for line in lines {
        seal(&mut file, line);
    }
    let digest = claims.digest.map_or_else(|| hex(&Sha256::digest(&file)), str::to_owned);
    let (counts, count) = (claims.counts, lines.len() + 1 + claims.more_lines);
    let end = format!(r#"{{"kind":"end","counts":{counts},"lines":{count},"sha256":"{digest}""#);
    seal(&mut file, &end);
    file
}

fn entity(kind: &str, id: u64, parent: Option<u64>, document: &str) -> String {
    let parent = parent.map(|parent| format!(r#","parent":"{parent}""#)).unwrap_or_default();
    format!(r#"{{"kind":"{kind}","id":"{id}"{parent},{TIMES},"document":{document}"#)
}

fn model(id: u64, name: &str) -> String {
    entity("registered_model", id, None, &format!(r#"{{"name":"{name}"}}"#))
}

/// The line and reason of the error; `None` if the file is valid.
fn error(file: &str) -> Option<(u64, String)> {
    match verify(file.as_bytes(), &|_| {}) {
        Ok(_) => None,
        Err(BackupError::Line { line, reason }) => Some((line, reason)),
        Err(error) => panic!("{error}"),
    }
}

const TWO_MODELS: Claims = Claims { counts: r#"{"registered_model":2}"#, more_lines: 0, digest: None };

#[test]
fn a_file_of_another_program_is_accepted() {
    assert_eq!(error(&sealed(&[model(1, "a"), model(2, "b")], TWO_MODELS)), None);
    assert_eq!(error(&sealed(&[], Claims { counts: "{}", ..TWO_MODELS })), None);
}

#[test]
fn the_last_line_must_match_the_preceding_ones() {
    let lines = [model(1, "a"), model(2, "b")];
    let wrong = "the digest does not match the preceding lines";
    let zeros = "0000000000000000000000000000000000000000000000000000000000000000";
    for (claims, reason) in [
        (Claims { digest: Some(zeros), ..TWO_MODELS }, wrong),
        (Claims { more_lines: 1, ..TWO_MODELS }, wrong),
        (
            Claims { counts: r#"{"registered_model":3}"#, ..TWO_MODELS },
            r#"the counts are wrong: the last line states {"registered_model": 3}, but the file has {"registered_model": 2}"#,
        ),
        (
            Claims { counts: r#"{"model_version":2}"#, ..TWO_MODELS },
            r#"the counts are wrong: the last line states {"model_version": 2}, but the file has {"registered_model": 2}"#,
        ),
    ] {
        assert_eq!(error(&sealed(&lines, claims)), Some((4, reason.to_owned())));
    }
}

#[test]
fn every_line_is_checked_in_its_context() {
    let version = |id, parent, document: &str| entity("model_version", id, parent, document);
    let place = "this line is out of order: kinds and ids must ascend";
    for (second, reason) in [
        (model(1, "b"), place),
        (model(0, "b"), "`id` is not an id: 0"),
        (entity("registered_model", 2, None, "{}"), "the document has no name"),
        (entity("registered_model", 2, None, "[]"), "the document is not a JSON object"),
        (
            entity("registered_model", 2, None, r#"{"name":"b","id":"2"}"#),
            "the document contains an `id`, which belongs next to it",
        ),
        (entity("unicorn", 2, None, r#"{"name":"b"}"#), "unknown kind `unicorn`"),
        (version(2, None, r#"{"name":"v"}"#), "`parent` is missing"),
        (version(2, Some(7), r#"{"name":"v"}"#), "`parent` is 7, which does not precede this line in the file"),
        (
            version(2, Some(1), r#"{"name":"v","registeredModelId":"9"}"#),
            "`registeredModelId` is 9, which does not precede this line in the file",
        ),
        (
            r#"{"kind":"artifact_link","resource":"1","artifact":"4""#.to_owned(),
            "`artifact` is 4, which does not precede this line in the file",
        ),
        (r#"{"kind":"registered_model","id":"2","revision":1"#.to_owned(), "`createTime` is missing"),
        (r#"{"kind":"registered_model","#.to_owned(), "this is not a line of an export: "),
    ] {
        let file = sealed(&[model(1, "a"), second.clone()], TWO_MODELS);
        let (line, said) = error(&file).unwrap_or_else(|| panic!("accepted: {second}"));
        assert!(line == 3 && said.starts_with(reason), "{second}: line {line}: {said}");
    }
    // Versions before models.
    let lines = [version(1, Some(1), r#"{"name":"v"}"#), model(2, "b")];
    assert_eq!(error(&sealed(&lines, TWO_MODELS)).unwrap().0, 2);
}
