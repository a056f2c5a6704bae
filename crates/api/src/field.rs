//! Declaration of a field: its JSON form, who may set it, and where its filterable value is stored.

/// A named set of allowed strings.
#[derive(Debug, PartialEq, Eq)]
pub struct Enumeration {
    /// Name of the schema in the OpenAPI document.
    pub name: &'static str,
    pub members: &'static [&'static str],
    /// Default in the OpenAPI schema.
    pub default: Option<&'static str>,
}

/// The JSON form of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    String,
    /// A string documented as a URI; any string is accepted (parity).
    Uri,
    StringList,
    Enumeration(&'static Enumeration),
    /// A 64-bit floating point number.
    Double,
    /// A 64-bit integer: a JSON integer in v1alpha3, a decimal string in v1.
    Integer,
    /// The id of another entity, a decimal string.
    Id,
    /// Milliseconds since the Unix epoch as a decimal string. Other strings are stored unchanged, as the Kubeflow Model
    /// Registry does (parity), but filters match numbers only.
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
    /// Name in the `property` table; filters accept it too (parity).
    pub stored: &'static str,
    pub shape: Shape,
    pub storage: Storage,
    pub access: Access,
    pub required: bool,
    /// Value if the field is absent at creation.
    pub default: Option<&'static str>,
    /// Whether a filter by this name also matches custom properties of the same name (parity).
    pub also_custom: bool,
    pub description: &'static str,
}

impl Field {
    /// Whether null in a PATCH keeps the value instead of clearing it: so for states and statuses.
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

    /// The id of the parent: required and immutable.
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

    /// Set by the server only.
    pub(crate) const fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

/// Fields of every kind, in addition to `name`, `id`, the two times and `customProperties`.
pub const COMMON_FIELDS: &[Field] = &[
    Field::string("description", "description", "An optional description.").also_custom(),
    Field::string(
        "externalId",
        "external_id",
        "The id in an external system, at most 255 characters; unique within the workspace.",
    ),
];
