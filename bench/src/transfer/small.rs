//! Many small files.

use anyhow::Result;
use model_registry_testkit::S3_BUCKET;

use super::report::{Comparison, Report};
use super::servers::S3Process;
use super::tool::measure;
use super::{Run, files, reference, remove};

const SIZE: u64 = 1024;

pub(super) async fn run(run: &Run, report: &mut Report) -> Result<()> {
    reference::check()?;
    let store = run.place("small-s3");
    let objects = store.join(S3_BUCKET).join("small");
    files::make(&objects, run.small_files as u64, SIZE)?;
    let server = S3Process::start(&store, false).await?;
    let out = run.place("small");
    files::settle();
    let command =
        run.tool.transfer(&format!("s3://{S3_BUCKET}/small"), &out.display().to_string(), &server.variables())?;
    let (own, _) = measure(command).await?;
    files::compare(&objects, &out)?;
    remove(&out)?;
    let boto3 = reference::boto3("download", "small/", &out, &server.variables()).await?;
    remove(&out)?;
    drop(server);
    remove(&store)?;
    report.compare(Comparison {
        work: "small files of 1 KiB, S3 → directory",
        own: own.seconds,
        other: "boto3's transfer manager with its default settings",
        seconds: boto3.seconds,
        required: Some(5.0),
    });
    report.note(format!(
        "{} small files: {:.0} files per second, {} MB.",
        run.small_files,
        own.rate(run.small_files as u64),
        own.memory / 1_000_000
    ));
    Ok(())
}
