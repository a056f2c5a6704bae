use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an update does to a field: absent keeps it, null clears it, a value replaces it.
///
/// ```
/// use model_registry_api::entities::{Change, RegisteredModelUpdate};
///
/// let update = RegisteredModelUpdate {
///     owner: Change::Set("data team".to_owned()),
///     description: Change::Clear,
///     ..RegisteredModelUpdate::default()
/// };
/// assert_eq!(serde_json::to_string(&update)?, r#"{"description":null,"owner":"data team"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The field is absent and keeps its value.
    #[default]
    Keep,
    /// The field is null and loses its value.
    Clear,
    Set(T),
}

impl<T> Change<T> {
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T> From<T> for Change<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    /// The enclosing struct has to skip [`Change::Keep`]; here it can only be written as null.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => serializer.serialize_some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}
