//! The declaration of every scheme.

/// A kind of location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    S3,
    Google,
    Azure,
    Web,
    Hub,
    File,
    Image,
    Registered,
}

/// What a location can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Source,
    Both,
}

/// Everything that is known about a scheme.
#[derive(Clone, Copy, Debug)]
pub struct SchemeSpec {
    pub scheme: Scheme,
    /// Beginnings of the locations, without `://`; the first is the usual one.
    pub prefixes: &'static [&'static str],
    pub form: &'static str,
    pub about: &'static str,
    pub role: Role,
    /// Variables with the credentials and the address of the service.
    pub variables: &'static [&'static str],
}

/// All schemes, in the order of the help.
pub const SCHEMES: &[SchemeSpec] = &[
    SchemeSpec {
        scheme: Scheme::S3,
        prefixes: &["s3"],
        form: "s3://BUCKET/KEY",
        about: "object or prefix of Amazon S3 or a compatible store",
        role: Role::Both,
        variables: &[
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_ENDPOINT_URL",
            "AWS_ALLOW_HTTP",
            "AWS_CA_BUNDLE",
        ],
    },
    SchemeSpec {
        scheme: Scheme::Google,
        prefixes: &["gs"],
        form: "gs://BUCKET/KEY",
        about: "object or prefix of Google Cloud Storage",
        role: Role::Both,
        variables: &["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SKIP_SIGNATURE", "GOOGLE_BASE_URL"],
    },
    SchemeSpec {
        scheme: Scheme::Azure,
        prefixes: &["az", "abfs", "abfss"],
        form: "az://CONTAINER/KEY",
        about: "blob or prefix of Azure Blob Storage; also https://ACCOUNT.blob.core.windows.net/CONTAINER/KEY",
        role: Role::Both,
        variables: &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN"],
    },
    SchemeSpec {
        scheme: Scheme::Web,
        prefixes: &["https", "http"],
        form: "https://HOST/PATH",
        about: "file of a web server; .tar, .tar.gz, .tgz and .zip are unpacked",
        role: Role::Source,
        variables: &["HTTPS_PROXY", "NO_PROXY"],
    },
    SchemeSpec {
        scheme: Scheme::Hub,
        prefixes: &["hf"],
        form: "hf://ORGANIZATION/MODEL[:REVISION]",
        about: "repository of the Hugging Face hub, or of the hub that HF_ENDPOINT names",
        role: Role::Source,
        variables: &["HF_TOKEN", "HF_ENDPOINT"],
    },
    SchemeSpec {
        scheme: Scheme::File,
        prefixes: &["file"],
        form: "PATH",
        about: "file or directory, also one on a mounted volume; file:///PATH is the same",
        role: Role::Both,
        variables: &[],
    },
    SchemeSpec {
        scheme: Scheme::Image,
        prefixes: &["oci"],
        form: "oci://HOST/REPOSITORY:TAG",
        about: "image of an OCI registry: a ModelCar with the files below /models, or a ModelPack artifact",
        role: Role::Both,
        variables: &["REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE"],
    },
    SchemeSpec {
        scheme: Scheme::Registered,
        prefixes: &["model-registry"],
        form: "model-registry://MODEL[/VERSION]",
        about: "files of a registered model; without VERSION those of its newest live version",
        role: Role::Source,
        variables: &["MR_SERVER", "MR_TOKEN"],
    },
];

impl Scheme {
    /// The declaration; `None` for a scheme that this build does not read or write.
    pub fn spec(self) -> Option<&'static SchemeSpec> {
        SCHEMES.iter().find(|spec| spec.scheme == self)
    }
}

impl SchemeSpec {
    /// Whether files can be written there.
    pub fn is_destination(&self) -> bool {
        self.role == Role::Both
    }
}

/// The forms of the locations that can be used, for messages.
pub(super) fn forms(only_destinations: bool) -> String {
    let usable = SCHEMES.iter().filter(|spec| !only_destinations || spec.is_destination());
    usable.map(|spec| spec.form).collect::<Vec<_>>().join(", ")
}
