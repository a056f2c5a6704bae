//! `list --total`: how many entities match, in a note after the list.

use clap::{Arg, ArgAction};
use model_registry_client::{Kind, ListOptions, Page, Place};
use serde_json::Value;

use super::kind_command::KindCommand;
use crate::client_context::ClientContext;

/// `--total`.
pub(super) fn argument() -> Arg {
    Arg::new("total")
        .long("total")
        .action(ArgAction::SetTrue)
        .help("Report how many entities match, whatever the limit: exact up to 10,000")
}

/// Counts the entities of the list and prints a note.
pub(super) async fn report(
    context: &ClientContext,
    kind: &KindCommand,
    owner: Option<(Kind, &str)>,
    options: ListOptions,
) -> anyhow::Result<()> {
    let place = match owner {
        Some((parent, id)) if kind.is_artifact() => {
            Place::Below { kind: kind.kinds[0], parent, parent_id: id.to_owned() }
        }
        _ => Place::All(kind.kinds[0]),
    };
    // One entity instead of none, which is not a page.
    let options = ListOptions { total: true, page_size: Some(1), ..options };
    let page = context.client.json().page(&place, &options, "").await?;
    context.notes.print(&sentence(kind, &page));
    Ok(())
}

fn sentence(kind: &KindCommand, page: &Page<Value>) -> String {
    match (page.total, page.total_is_exact) {
        (Some(1), Some(true)) => format!("1 {} in total", kind.singular),
        (Some(total), Some(true)) => format!("{total} {} in total", kind.name()),
        (Some(total), _) => format!("at least {total} {} in total", kind.name()),
        (None, _) => "this server does not count entities".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::VERSIONS;

    #[test]
    fn a_lower_bound_is_not_reported_as_a_total() {
        let page = |total, total_is_exact| Page {
            items: Vec::new(),
            next_page_token: String::new(),
            page_size: 1,
            size: 1,
            total,
            total_is_exact,
        };
        assert_eq!(sentence(&VERSIONS, &page(Some(1), Some(true))), "1 version in total");
        assert_eq!(sentence(&VERSIONS, &page(Some(12), Some(true))), "12 versions in total");
        assert_eq!(sentence(&VERSIONS, &page(Some(10_000), Some(false))), "at least 10000 versions in total");
        assert_eq!(sentence(&VERSIONS, &page(None, None)), "this server does not count entities");
    }
}
