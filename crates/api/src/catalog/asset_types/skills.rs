//! Skills: instructions for agents, each a directory with a file `SKILL.md`.

use crate::catalog::asset_type::{
    Address, ApiSpec, AssetType, AssetTypeSpec, ItemOrder, ListParameter, ListSpec, OrderSpec, SourceType, SourcesSpec,
};
use crate::catalog::catalog_kind::{CatalogField, CatalogKind, CatalogKindSpec, CatalogShape, CatalogTable};

/// Values of `trustTier`. They describe and filter; none is more than another.
pub const SKILL_TRUST_TIERS: &[&str] =
    &["platformProvided", "partnerVerified", "organizationApproved", "communityContributed"];

pub(crate) static SPEC: AssetTypeSpec = AssetTypeSpec {
    asset_type: AssetType::Skills,
    name: "skills",
    label: "skill",
    label_plural: "skills",
    command_name: "skills",
    sources: SourcesSpec {
        keys: &["skill_catalogs"],
        label: "skill catalog",
        patterns: Some("Skills"),
        // parity: the Kubeflow Model Registry shows the patterns of model sources only.
        lists_patterns: false,
        accepts_status: false,
        types: &[SourceType::Yaml, SourceType::Directory, SourceType::Git],
    },
    data_key: "skills",
    item: CatalogKind::Skill,
    api: ApiSpec {
        family: "/api/skill_catalog",
        collection: "skills",
        address: Address::Id { parameter: "id", label: "skill" },
        tag: "SkillCatalogService",
        tag_description: "Skills of agents.",
        operation: "Skill",
        operation_plural: "Skills",
        schema: "Skill",
        children: &[],
    },
    list: ListSpec {
        parameters: &[ListParameter::Source, ListParameter::NamePattern],
        order: OrderSpec { default: ItemOrder::Id, ignores_case: true, by_property: false, named: &[] },
        // parity: the Kubeflow Model Registry accepts them and publishes none.
        publishes_named_queries: false,
        included_children: None,
    },
};

const CARD: &str = "\
    The text of its SKILL.md, Markdown as its author wrote it. It may contain anything, so viewers have to sanitise it before \
    they show it as HTML.";

pub(crate) static SKILL: CatalogKindSpec = CatalogKindSpec {
    kind: CatalogKind::Skill,
    table: CatalogTable::Item,
    artifact_type: None,
    versioned: false,
    fields: &[
        CatalogField::string("name", "Name; several versions and repositories may have it.").column().required(),
        CatalogField::string("source_id", "Id of its source.").column().hidden().in_v1("sourceId"),
        CatalogField::string("description", "What it does and when it is used.").hidden(),
        CatalogField::string("license", "Licence, as its author wrote it."),
        CatalogField::string("compatibility", "What it needs."),
        CatalogField::list("allowedTools", "Tools that it may use without a question."),
        CatalogField::string("readme", CARD).hidden(),
        CatalogField::string("repository", "URL of the repository that it comes from."),
        CatalogField::string("path", "Path of its directory in the repository.").hidden(),
        CatalogField::string("version", "Tag or commit; `latest` for a branch."),
        CatalogField::string("resolvedCommit", "Commit that was read.").hidden(),
        CatalogField::new(
            "trustTier",
            CatalogShape::Enumeration(SKILL_TRUST_TIERS),
            "Trust, as its source is configured.",
        ),
        CatalogField::string("provider", "Provider, as its source is configured."),
        CatalogField::string("category", "Category."),
        CatalogField::list("labels", "Labels."),
        CatalogField::list("supportingFiles", "Paths of the other files of its directory.").hidden(),
        CatalogField::new("bodyLineCount", CatalogShape::Integer, "Lines of its text."),
    ],
    search: &["name", "description", "provider", "category", "labels"],
    also_hidden: &[],
    children: &[],
    filters_children: false,
};
