//! A file of generated models: each with a card, properties of every type, a model artifact and performance metrics.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::words::{mixed, word, write_file};

const TASKS: [&str; 6] =
    ["text-generation", "summarization", "translation", "classification", "embedding", "image-text-to-text"];
pub(crate) const HARDWARE: [&str; 6] = ["L4", "L40S", "A100", "H100", "H200", "MI300X"];

/// The content of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    pub(crate) models: usize,
    /// A property of every model, by which a reader recognises the state of the file.
    pub(crate) round: usize,
    /// A property of the first model only.
    pub(crate) first: usize,
}

/// Writes the file; returns its size in bytes.
pub(crate) fn write(path: &Path, content: Content) -> Result<u64> {
    write_file(path, |out| {
        writeln!(out, "source: bench\nmodels:")?;
        (0..content.models).try_for_each(|number| write_model(out, number, content))
    })
}

pub(crate) fn name(number: usize) -> String {
    let mixed = mixed(number);
    format!("org-{}/{}-{}-{number}", mixed % 200, word(mixed, 1), word(mixed, 26))
}

fn write_model(out: &mut impl Write, number: usize, content: Content) -> Result<()> {
    let mixed = mixed(number);
    let name = name(number);
    let state = if number == 0 { content.first } else { 0 };
    let description = format!(
        "The {} {} model number {number} answers questions about {} and {} for {} teams.",
        word(mixed, 1),
        word(mixed, 7),
        word(mixed, 11),
        word(mixed, 13),
        word(mixed, 17)
    );
    let (task, other_task) = (TASKS[mixed % 6], TASKS[(mixed + 1 + mixed / 6 % 5) % 6]);
    writeln!(
        out,
        "  - name: {name}
    provider: Provider {provider}
    description: \"{description}\"
    readme: |
      # {name}

      {description}

      Trained on {trained} and {more} data, made by the benchmark. Use it for {task} and nothing else.
    license: {license}
    libraryName: {library}
    maturity: {maturity}
    language: [en, {language}]
    tasks: [{task}, {other_task}]
    customProperties:
      model_type: {{metadataType: MetadataStringValue, string_value: {model_type}}}
      size: {{metadataType: MetadataStringValue, string_value: \"{size}B\"}}
      context_length: {{metadataType: MetadataIntValue, int_value: \"{context}\"}}
      params_billion: {{metadataType: MetadataDoubleValue, double_value: {parameters}.{tenth}}}
      validated: {{metadataType: MetadataBoolValue, bool_value: {validated}}}
      round: {{metadataType: MetadataStringValue, string_value: \"{round}\"}}
      state: {{metadataType: MetadataIntValue, int_value: \"{state}\"}}
    artifacts:
      - uri: oci://registry.example/{name}:1
      - artifactType: metrics-artifact
        metricsType: performance-metrics
        name: measured-{number}
        customProperties:
          hardware_type: {{metadataType: MetadataStringValue, string_value: {hardware}}}
          hardware_count: {{metadataType: MetadataIntValue, int_value: \"{count}\"}}
          use_case: {{metadataType: MetadataStringValue, string_value: {use_case}}}
          requests_per_second: {{metadataType: MetadataDoubleValue, double_value: {rate}.5}}
          ttft_p90: {{metadataType: MetadataDoubleValue, double_value: {latency}.{tenth}}}",
        provider = mixed % 50,
        trained = word(mixed, 3),
        more = word(mixed, 5),
        license = ["apache-2.0", "mit", "llama3", "bsd-3-clause"][mixed % 4],
        library = ["vllm", "transformers", "onnx"][mixed % 3],
        maturity = ["Experimental", "Technology Preview", "Generally Available"][mixed / 2 % 3],
        language = ["de", "fr", "es", "it", "ja"][mixed % 5],
        model_type = ["generative", "predictive"][mixed % 2],
        size = 1 + mixed % 70,
        context = 2048 << (mixed % 7),
        parameters = mixed / 10 % 70,
        tenth = mixed % 10,
        validated = mixed.is_multiple_of(2),
        round = content.round,
        hardware = HARDWARE[mixed / 3 % 6],
        count = 1 << (mixed % 4),
        use_case = ["chatbot", "rag", "code"][mixed % 3],
        rate = mixed % 100,
        latency = 20 + mixed / 7 % 500,
    )?;
    Ok(())
}
