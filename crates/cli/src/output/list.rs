//! Renders a list whose items arrive in batches.

use std::fmt::Write;

use serde_json::Value;

use super::{Format, Table};

/// Renders a list batch by batch. The strings of all batches and of [`ListRenderer::end`] make one document.
pub(crate) struct ListRenderer {
    format: Format,
    table: Table,
    /// Items so far.
    count: usize,
}

impl ListRenderer {
    pub(super) fn new(format: Format, table: Table) -> Self {
        Self { format, table, count: 0 }
    }

    /// Renders a batch that is not empty. `rows` has the cells of each item: those of the columns for a table, the
    /// reference for names; it is ignored for JSON and YAML.
    pub(crate) fn batch(&mut self, items: &[Value], rows: Vec<Vec<String>>) -> anyhow::Result<String> {
        let mut text = String::new();
        match self.format {
            Format::Table => text = self.table.rows(rows),
            Format::Name => {
                for reference in rows.concat() {
                    let _ = writeln!(text, "{reference}");
                }
            }
            // Sequences in a row are one sequence in YAML.
            Format::Yaml => text = serde_saphyr::to_string(&items)?,
            Format::Json => {
                for (position, item) in items.iter().enumerate() {
                    let separator = if self.count + position == 0 { "[\n" } else { ",\n" };
                    let item = serde_json::to_string_pretty(item)?.replace('\n', "\n  ");
                    let _ = write!(text, "{separator}  {item}");
                }
            }
        }
        self.count += items.len();
        Ok(text)
    }

    /// Renders the end of the list, and a list without items completely.
    pub(crate) fn end(self) -> String {
        match self.format {
            Format::Table => self.table.end(),
            Format::Json | Format::Yaml if self.count == 0 => "[]\n".to_owned(),
            Format::Name | Format::Yaml => String::new(),
            Format::Json => "\n]\n".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::{Output, Style};

    fn render(format: Format, batches: &[&[Value]]) -> String {
        let output = Output::new(format, None, Style::plain(), false);
        let mut list = output.list(vec!["NAME".to_owned()]);
        let cells = |item: &Value| vec![item["name"].as_str().unwrap().to_owned()];
        let rendered: Vec<String> =
            batches.iter().map(|batch| list.batch(batch, batch.iter().map(cells).collect()).unwrap()).collect();
        rendered.concat() + &list.end()
    }

    #[test]
    fn batches_make_one_document_in_every_format() {
        let (first, second) = ([json!({"name": "a"}), json!({"name": "b"})], [json!({"name": "c"})]);
        let batches: [&[Value]; 2] = [&first, &second];
        assert_eq!(render(Format::Table, &batches), "NAME\na\nb\nc\n");
        assert_eq!(render(Format::Name, &batches), "a\nb\nc\n");
        let json: Value = serde_json::from_str(&render(Format::Json, &batches)).unwrap();
        assert_eq!(json, json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]));
        assert_eq!(render(Format::Yaml, &batches), "- name: a\n- name: b\n- name: c\n");
    }

    #[test]
    fn an_empty_list_is_headers_or_an_empty_array() {
        assert_eq!(render(Format::Table, &[]), "NAME\n");
        assert_eq!(render(Format::Name, &[]), "");
        assert_eq!(render(Format::Json, &[]), "[]\n");
        assert_eq!(render(Format::Yaml, &[]), "[]\n");
    }
}
