use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What happens to a field that is not mentioned, mentioned as null, or given a value.
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
    /// The field is not mentioned and stays as it is.
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
    /// A field that is kept has to be skipped by the struct it is in; here it can only be null.
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
