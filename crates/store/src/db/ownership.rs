//! Decides by the names of its tables whose database it is, before anything is written to it.
//!
//! To recognise one more program, add it to [`PROGRAMS`]. A new table of ours does not have to be listed anywhere.

use std::collections::BTreeSet;

/// The migrations that were applied. Its presence makes a database ours.
pub(super) const MIGRATIONS: &str = "model_registry_migrations";
/// The name of that table in earlier versions, which other programs use as well.
pub(super) const EARLIER_MIGRATIONS: &str = "schema_migrations";
/// A version in the earlier table that makes earlier versions of this program refuse the database.
pub(super) const BARRIER: i64 = 1_000_000;

/// Tables that every database of ours with the earlier table of migrations has, in the order of their creation.
const OUR_FIRST_TABLES: [&str; 6] = ["workspace", "resource", "artifact", "artifact_link", "metric_point", "property"];

/// A program that is known by some of its tables.
struct Program {
    name: &'static str,
    /// In lower case; all of them have to exist.
    tables: &'static [&'static str],
}

/// The first one whose tables exist is the owner.
const PROGRAMS: &[Program] = &[
    Program { name: "the Kubeflow Model Registry", tables: &["mlmdenv", "schema_migrations"] },
    Program { name: "the Kubeflow Model Registry", tables: &["type", "context", "schema_migrations"] },
    Program {
        name: "ML Metadata, as older versions of the Kubeflow Model Registry and Kubeflow Pipelines use it",
        tables: &["mlmdenv"],
    },
    Program {
        name: "ML Metadata, as older versions of the Kubeflow Model Registry and Kubeflow Pipelines use it",
        tables: &["type", "context"],
    },
    Program { name: "MLflow", tables: &["alembic_version", "experiments", "runs"] },
    Program { name: "a program that uses Alembic", tables: &["alembic_version"] },
    Program { name: "a program that uses Django", tables: &["django_migrations"] },
    Program { name: "a program that uses Flyway", tables: &["flyway_schema_history"] },
    Program { name: "a program that uses Liquibase", tables: &["databasechangelog"] },
    Program { name: "a program that uses Rails", tables: &["ar_internal_metadata"] },
    Program { name: "another program with migrations", tables: &["schema_migrations"] },
];

/// Tables that a message lists at most.
const LISTED: usize = 5;

/// Whose database it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It has no tables.
    Nobody,
    Ours,
    /// It has our tables and the earlier table of migrations.
    OursInEarlierForm,
    /// The message for the person who chose it.
    Foreign(String),
}

/// Decides by the tables of the database, or of the schema in which tables would be created.
pub(super) fn owner(tables: &[String]) -> Owner {
    let names: BTreeSet<String> = tables.iter().map(|table| table.to_lowercase()).collect();
    let has = |table: &&str| names.contains(*table);
    if names.is_empty() {
        return Owner::Nobody;
    }
    if has(&MIGRATIONS) {
        return Owner::Ours;
    }
    // MySQL commits table by table, so that a first start that was interrupted leaves the first ones.
    let is_interrupted_start = has(&OUR_FIRST_TABLES[0])
        && names.iter().all(|name| name == EARLIER_MIGRATIONS || OUR_FIRST_TABLES.contains(&name.as_str()));
    let is_ours = has(&EARLIER_MIGRATIONS) && (OUR_FIRST_TABLES.iter().all(has) || is_interrupted_start);
    let others = &PROGRAMS[..PROGRAMS.len() - 1];
    if is_ours {
        return match others.iter().find(|program| program.tables.iter().all(has)) {
            None => Owner::OursInEarlierForm,
            Some(program) => Owner::Foreign(mixed(program)),
        };
    }
    let program = PROGRAMS.iter().find(|program| program.tables.iter().all(has));
    Owner::Foreign(foreign(program.map_or("another program", |program| program.name), tables))
}

fn foreign(program: &str, tables: &[String]) -> String {
    let mut listed: Vec<&str> = tables.iter().take(LISTED).map(String::as_str).collect();
    let more = tables.len().saturating_sub(LISTED);
    let more_text = format!("and {more} more");
    if more > 0 {
        listed.push(&more_text);
    }
    let word = if tables.len() == 1 { "table" } else { "tables" };
    format!(
        "the database belongs to {program} ({word} {}). Nothing was written to it. Choose an empty database with --database \
         (on PostgreSQL an empty schema is enough: ?options=-csearch_path=NAME); how to copy models from a Kubeflow Model \
         Registry is in docs/install.md",
        listed.join(", ")
    )
}

fn mixed(program: &Program) -> String {
    format!(
        "the database has tables of this registry and of {}: an earlier version of this program was started on it, and its list \
         of migrations cannot be trusted. Nothing was written to it. Export it with that version (model-registry export), \
         and import the file into an empty database",
        program.name
    )
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod names {
    use super::*;

    fn of(tables: &[&str]) -> Owner {
        owner(&tables.iter().map(|table| (*table).to_owned()).collect::<Vec<_>>())
    }

    fn message(tables: &[&str]) -> String {
        match of(tables) {
            Owner::Foreign(message) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_empty_database_and_one_with_our_table_of_migrations_are_accepted() {
        assert_eq!(of(&[]), Owner::Nobody);
        assert_eq!(of(&[MIGRATIONS]), Owner::Ours);
        assert_eq!(of(&["resource", MIGRATIONS, "a_table_of_the_administrator"]), Owner::Ours);
    }

    #[test]
    fn our_tables_with_the_earlier_table_of_migrations_are_ours() {
        let all = [&OUR_FIRST_TABLES[..], &[EARLIER_MIGRATIONS, "catalog_item"]].concat();
        assert_eq!(of(&all), Owner::OursInEarlierForm);
        assert_eq!(
            of(&[EARLIER_MIGRATIONS, "workspace", "resource"]),
            Owner::OursInEarlierForm,
            "an interrupted start"
        );
        assert!(
            message(&[&all[..], &["MLMDEnv", "Type"]].concat()).contains("of this registry and of the Kubeflow Model")
        );
    }

    #[test]
    fn databases_of_other_programs_are_named() {
        for (tables, expected) in [
            (
                &["Context", "MLMDEnv", "Type", "schema_migrations"][..],
                "belongs to the Kubeflow Model Registry (tables Context,",
            ),
            (&["Artifact", "Context", "Type", "schema_migrations"], "belongs to the Kubeflow Model Registry (tables "),
            (&["Artifact", "MLMDEnv", "Type"], "belongs to ML Metadata"),
            (&["alembic_version", "experiments", "metrics", "runs"], "belongs to MLflow (tables alembic_version, "),
            (&["alembic_version", "dag"], "belongs to a program that uses Alembic"),
            (&["schema_migrations"], "belongs to another program with migrations (table schema_migrations)"),
            (&["a", "b", "c", "d", "e", "f", "g"], "belongs to another program (tables a, b, c, d, e, and 2 more)"),
            (&["resource", "workspace"], "belongs to another program (tables resource, workspace)"),
        ] {
            let message = message(tables);
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("Nothing was written to it. Choose an empty database"), "{message}");
        }
    }
}
