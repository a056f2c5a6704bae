//! What a field of an entity is: its JSON form, who may set it, and where its filterable value is stored.

/// A named set of allowed texts.
#[derive(Debug, PartialEq, Eq)]
pub struct Enumeration {
    /// Name of the schema in the OpenAPI document.
    pub name: &'static str,
    pub members: &'static [&'static str],
    /// Default that the schema announces.
    pub default: Option<&'static str>,
}

/// The JSON form of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    String,
    /// A text that should be a URI; not enforced (parity, registry-server 1.3).
    Uri,
    StringList,
    Enumeration(&'static Enumeration),
    /// A 64-bit floating point number.
    Double,
    /// A 64-bit integer: a JSON integer in v1alpha3, a decimal string in v1.
    Integer,
    /// The id of another entity, a decimal string.
    Id,
    /// Milliseconds since the Unix epoch as a decimal string. Other texts are stored as they are, because the
    /// reference stores them (parity, registry-server 1.3), but only numbers can be filtered.
    EpochMillis,
}

/// Where the filterable value of a field lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Rows of the `property` table.
    Property,
    /// A column of the entity's own table.
    Column(&'static str),
}

/// Who may set a field, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Set by the server.
    ReadOnly,
    /// Set by the client at creation, never changed.
    Immutable,
    Mutable,
}

/// One field of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name in JSON and in filters.
    pub name: &'static str,
    /// Name in the `property` table; filters accept it as well (parity, registry-server 3.4).
    pub stored: &'static str,
    pub shape: Shape,
    pub storage: Storage,
    pub access: Access,
    pub required: bool,
    /// Value of an entity created without the field.
    pub default: Option<&'static str>,
    /// Whether a filter by this name also reaches custom properties of the same name (parity, registry-server 3.4).
    pub also_custom: bool,
    pub description: &'static str,
}

impl Field {
    /// Whether an explicit null in a PATCH keeps the value instead of clearing it: true of states and statuses.
    pub const fn null_keeps(&self) -> bool {
        matches!(self.shape, Shape::Enumeration(_))
    }

    pub const fn on_create(&self) -> bool {
        !matches!(self.access, Access::ReadOnly)
    }

    pub const fn on_update(&self) -> bool {
        matches!(self.access, Access::Mutable)
    }

    pub(crate) const fn new(name: &'static str, stored: &'static str, shape: Shape, description: &'static str) -> Self {
        Self {
            name,
            stored,
            shape,
            storage: Storage::Property,
            access: Access::Mutable,
            required: false,
            default: None,
            also_custom: false,
            description,
        }
    }

    pub(crate) const fn string(name: &'static str, stored: &'static str, description: &'static str) -> Self {
        Self::new(name, stored, Shape::String, description)
    }

    pub(crate) const fn state(enumeration: &'static Enumeration) -> Self {
        Self::new("state", "state", Shape::Enumeration(enumeration), "Life cycle state.").column("state")
    }

    /// The id of an entity that has to exist and never changes.
    pub(crate) const fn parent(name: &'static str, stored: &'static str, description: &'static str) -> Self {
        Self::new(name, stored, Shape::Id, description).required().immutable().column("parent_id")
    }

    pub(crate) const fn column(mut self, name: &'static str) -> Self {
        self.storage = Storage::Column(name);
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn immutable(mut self) -> Self {
        self.access = Access::Immutable;
        self
    }

    pub(crate) const fn also_custom(mut self) -> Self {
        self.also_custom = true;
        self
    }

    /// Set by the server alone.
    pub(crate) const fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

/// Fields that every kind has, besides `name`, `id`, the two times and `customProperties`.
pub const COMMON_FIELDS: &[Field] = &[
    Field::string("description", "description", "An optional description.").also_custom(),
    Field::string(
        "externalId",
        "external_id",
        "The id in an external system, at most 255 characters; unique within the workspace.",
    ),
];
