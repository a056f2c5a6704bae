//! Large files: each pairing compared with the slower of reading and writing without any tool, and with other tools.
//!
//! The files of the source are hard links to the objects of the store, and results are removed at once: so the disk holds little
//! more than twice the files.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use model_registry_testkit::{OciRegistry, S3_BUCKET};

use super::report::{Comparison, Limit, Report, Transfer};
use super::servers::S3Process;
use super::tool::{Measured, document, measure};
use super::{FILES, Run, files, raw, reference, remove};

/// The part of the bytes with which the peak memory is compared.
const PART: u64 = 10;
const IMAGE: &str = "large/model";

/// The files and the servers.
struct Place<'run> {
    run: &'run Run,
    bucket: PathBuf,
    source: PathBuf,
    server: S3Process,
    public: S3Process,
}

/// The rates without any tool, in bytes per second.
struct Rates {
    read_disk: f64,
    write_disk: f64,
    read_s3: f64,
    write_s3: f64,
    write_registry: f64,
}

pub(super) async fn run(run: &Run, report: &mut Report) -> Result<()> {
    reference::check()?;
    let store = run.place("s3");
    let bucket = store.join(S3_BUCKET);
    let source = run.place("source");
    files::make(&bucket.join("large"), FILES, run.bytes / FILES)?;
    files::make(&bucket.join("part"), FILES, (run.bytes / FILES / PART).max(1))?;
    files::link(&bucket.join("large"), &source)?;
    let server = S3Process::start(&store, false).await?;
    let public = S3Process::start(&store, true).await?;
    let place = Place { run, bucket, source, server, public };

    let rates = place.without_any_tool(report).await?;
    let download = place.download(&rates, report).await?;
    place.upload(&rates, report).await?;
    let to_image = place.to_image(&rates, report).await?;
    // The last one needs the space of the others.
    let Place { source, server, public, .. } = place;
    drop((server, public));
    remove(&store)?;
    remove(&source)?;
    let registry = run.registry("skopeo").await?;
    let skopeo = reference::skopeo_copy(&run.place("layout"), &registry).await?;
    drop(registry);
    remove(&run.place("skopeo"))?;
    remove(&run.place("layout"))?;
    report.compare(Comparison {
        work: "S3 → OCI, end to end",
        own: to_image.seconds,
        other: "boto3 download, then `skopeo copy` of a layout that was prepared without being measured",
        seconds: download.seconds + skopeo.seconds,
        required: Some(2.0),
    });
    Ok(())
}

impl Place<'_> {
    async fn without_any_tool(&self, report: &mut Report) -> Result<Rates> {
        let bytes = self.run.bytes;
        let read_disk = raw::read_disk(&self.source)?.rate(bytes);
        let written = raw::write_disk(&self.source, &self.run.place("raw"))?;
        remove(&self.run.place("raw"))?;
        let read_s3 = raw::read_s3(&self.public, "large/", &self.source).await?.rate(bytes);
        let put = raw::write_s3(&self.public, "raw/", &self.source).await?;
        remove(&self.bucket.join("raw"))?;
        let in_parts = raw::write_s3_in_parts(&self.public, "raw/", &self.source).await?;
        remove(&self.bucket.join("raw"))?;
        let registry = self.run.registry("raw-registry").await?;
        let pushed = raw::write_registry(&registry, &self.source).await?;
        drop(registry);
        remove(&self.run.place("raw-registry"))?;
        let rates = Rates {
            read_disk,
            write_disk: written.rate(bytes),
            read_s3,
            write_s3: in_parts.rate(bytes),
            write_registry: pushed.rate(bytes),
        };
        for (name, rate) in [
            ("read from the disk", rates.read_disk),
            ("write to the disk", rates.write_disk),
            ("read from the S3 server (curl)", rates.read_s3),
            ("write to the S3 server, a request for each file (curl)", put.rate(bytes)),
            ("write to the S3 server, in parts that it joins", rates.write_s3),
            ("write to the registry (curl)", rates.write_registry),
        ] {
            report.raw(name, rate);
        }
        Ok(rates)
    }

    /// Returns what boto3 takes.
    async fn download(&self, rates: &Rates, report: &mut Report) -> Result<Measured> {
        let out = self.run.place("out");
        let to = out.display().to_string();
        let whole = self.transfer(&s3("large"), &to).await?;
        files::compare(&self.source, &out)?;
        remove(&out)?;
        let part = self.transfer(&s3("part"), &to).await?;
        remove(&out)?;
        report.transfer(Transfer {
            name: "S3 → directory",
            whole,
            part,
            limits: [
                Limit { name: "reading from the S3 server", rate: rates.read_s3 },
                Limit { name: "writing to the disk", rate: rates.write_disk },
            ],
        });
        let boto3 = reference::boto3("download", "large/", &out, &self.server.variables()).await?;
        remove(&out)?;
        report.compare(Comparison {
            work: "S3 → directory",
            own: whole.seconds,
            other: "boto3",
            seconds: boto3.seconds,
            required: None,
        });
        Ok(boto3)
    }

    async fn upload(&self, rates: &Rates, report: &mut Report) -> Result<()> {
        let to = |name: &str| self.bucket.join(name);
        let whole = self.transfer(&self.source.display().to_string(), &s3("up")).await?;
        files::compare(&self.source, &to("up"))?;
        remove(&to("up"))?;
        let part = self.transfer(&to("part").display().to_string(), &s3("up")).await?;
        remove(&to("up"))?;
        report.transfer(Transfer {
            name: "directory → S3",
            whole,
            part,
            limits: [
                Limit { name: "reading from the disk", rate: rates.read_disk },
                Limit { name: "writing to the S3 server in parts", rate: rates.write_s3 },
            ],
        });
        let boto3 = reference::boto3("upload", "boto3/", &self.source, &self.server.variables()).await?;
        remove(&to("boto3"))?;
        report.compare(Comparison {
            work: "directory → S3",
            own: whole.seconds,
            other: "boto3",
            seconds: boto3.seconds,
            required: None,
        });
        Ok(())
    }

    /// Leaves a layout of the image.
    async fn to_image(&self, rates: &Rates, report: &mut Report) -> Result<Measured> {
        let registry = self.run.registry("registry").await?;
        let whole = self.push(&s3("large"), &registry).await?;
        reference::layout(&registry, IMAGE, &self.run.place("layout"))?;
        drop(registry);
        remove(&self.run.place("registry"))?;
        let registry = self.run.registry("registry").await?;
        let part = self.push(&s3("part"), &registry).await?;
        drop(registry);
        remove(&self.run.place("registry"))?;
        report.transfer(Transfer {
            name: "S3 → OCI",
            whole,
            part,
            limits: [
                Limit { name: "reading from the S3 server", rate: rates.read_s3 },
                Limit { name: "writing to the registry", rate: rates.write_registry },
            ],
        });
        Ok(whole)
    }

    async fn transfer(&self, source: &str, destination: &str) -> Result<Measured> {
        files::settle();
        let command = self.run.tool.transfer(source, destination, &self.server.variables())?;
        let (measured, output) = measure(command).await?;
        document(&output)?["digest"].as_str().context("the transfer has printed no digest")?;
        Ok(measured)
    }

    async fn push(&self, source: &str, registry: &OciRegistry) -> Result<Measured> {
        files::settle();
        let destination = format!("oci://{}/{IMAGE}:1", registry.host());
        let mut command = self.run.tool.transfer(source, &destination, &self.server.variables())?;
        command.args(["--oci-plain-http", &registry.host(), "--oci-auth-file"]).arg(self.run.credentials(registry)?);
        Ok(measure(command).await?.0)
    }
}

impl Run {
    /// A new registry without TLS.
    async fn registry(&self, name: &str) -> Result<OciRegistry> {
        Ok(OciRegistry::start(&self.place(name), None).await?)
    }

    fn credentials(&self, registry: &OciRegistry) -> Result<PathBuf> {
        use model_registry_testkit::{REGISTRY_PASSWORD, REGISTRY_USER};
        let entry = serde_json::json!({"username": REGISTRY_USER, "password": REGISTRY_PASSWORD});
        let file = self.place("auth.json");
        fs::write(&file, serde_json::json!({"auths": {registry.host(): entry}}).to_string())?;
        Ok(file)
    }
}

fn s3(key: &str) -> String {
    format!("s3://{S3_BUCKET}/{key}")
}
