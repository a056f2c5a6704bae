//! Files whose checks are right, made by other programs, and what is wrong with them for all that.

use model_registry_base::hex;
use sha2::{Digest, Sha256};

use super::*;

const HEADER: &str = r#"{"format":"model-registry-export","version":1"#;
const TIMES: &str = r#""revision":1,"createTime":1,"updateTime":1"#;

/// What is said about the lines before the last.
#[derive(Clone, Copy)]
struct Claims {
    counts: &'static str,
    /// How many more than there are.
    more_lines: usize,
    digest: Option<&'static str>,
}

/// Puts the checks behind lines that have no closing brace, and the last line behind them.
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

/// The line and the reason of the refusal; nothing where the file is good.
fn refusal(file: &str) -> Option<(u64, String)> {
    match verify(file.as_bytes(), &|_| {}) {
        Ok(_) => None,
        Err(BackupError::Line { line, reason }) => Some((line, reason)),
        Err(error) => panic!("{error}"),
    }
}

const TWO_MODELS: Claims = Claims { counts: r#"{"registered_model":2}"#, more_lines: 0, digest: None };

#[test]
fn a_file_of_another_program_is_taken() {
    assert_eq!(refusal(&sealed(&[model(1, "a"), model(2, "b")], TWO_MODELS)), None);
    assert_eq!(refusal(&sealed(&[], Claims { counts: "{}", ..TWO_MODELS })), None);
}

#[test]
fn the_last_line_has_to_fit_those_before() {
    let lines = [model(1, "a"), model(2, "b")];
    let wrong = "the digest is not that of the lines before";
    let zeros = "0000000000000000000000000000000000000000000000000000000000000000";
    for (claims, reason) in [
        (Claims { digest: Some(zeros), ..TWO_MODELS }, wrong),
        (Claims { more_lines: 1, ..TWO_MODELS }, wrong),
        (
            Claims { counts: r#"{"registered_model":3}"#, ..TWO_MODELS },
            r#"the counts are wrong: the file says {"registered_model": 3}, it has {"registered_model": 2}"#,
        ),
        (
            Claims { counts: r#"{"model_version":2}"#, ..TWO_MODELS },
            r#"the counts are wrong: the file says {"model_version": 2}, it has {"registered_model": 2}"#,
        ),
    ] {
        assert_eq!(refusal(&sealed(&lines, claims)), Some((4, reason.to_owned())));
    }
}

#[test]
fn each_line_has_to_make_sense_where_it_stands() {
    let version = |id, parent, document: &str| entity("model_version", id, parent, document);
    let place = "this line is not in its place: kinds and ids have to ascend";
    for (second, reason) in [
        (model(1, "b"), place),
        (model(0, "b"), "`id` is no id: 0"),
        (entity("registered_model", 2, None, "{}"), "the document has no name"),
        (entity("registered_model", 2, None, "[]"), "the document is no JSON object"),
        (
            entity("registered_model", 2, None, r#"{"name":"b","id":"2"}"#),
            "the document has an `id`, which belongs beside it",
        ),
        (entity("unicorn", 2, None, r#"{"name":"b"}"#), "there is no kind `unicorn`"),
        (version(2, None, r#"{"name":"v"}"#), "`parent` is missing"),
        (version(2, Some(7), r#"{"name":"v"}"#), "`parent` is 7, which is not in the file before it"),
        (
            version(2, Some(1), r#"{"name":"v","registeredModelId":"9"}"#),
            "`registeredModelId` is 9, which is not in the file before it",
        ),
        (
            r#"{"kind":"artifact_link","resource":"1","artifact":"4""#.to_owned(),
            "`artifact` is 4, which is not in the file before it",
        ),
        (r#"{"kind":"registered_model","id":"2","revision":1"#.to_owned(), "`createTime` is missing"),
        (r#"{"kind":"registered_model","#.to_owned(), "this is no line of an export: "),
    ] {
        let file = sealed(&[model(1, "a"), second.clone()], TWO_MODELS);
        let (line, said) = refusal(&file).unwrap_or_else(|| panic!("taken: {second}"));
        assert!(line == 3 && said.starts_with(reason), "{second}: line {line}: {said}");
    }
    // Versions before models.
    let lines = [version(1, Some(1), r#"{"name":"v"}"#), model(2, "b")];
    assert_eq!(refusal(&sealed(&lines, TWO_MODELS)).unwrap().0, 2);
}
