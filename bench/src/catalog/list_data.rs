//! Files of generated agents, skills and MCP servers.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::words::{mixed, sentence, word, write_file};

pub(crate) const FRAMEWORKS: [&str; 4] = ["langgraph", "crewai", "llamaindex", "autogen"];
pub(crate) const CATEGORIES: [&str; 5] = ["operations", "writing", "training", "security", "data"];

/// The name of an agent, skill or server.
fn name(number: usize) -> String {
    let mixed = mixed(number);
    format!("{}-{}-{number}", word(mixed, 1), word(mixed, 26))
}

/// Agents with variables, an image, a template and custom properties. Returns the size of the file in bytes.
pub(crate) fn write_agents(path: &Path, count: usize) -> Result<u64> {
    write_file(path, |out| {
        writeln!(out, "agents:")?;
        (0..count).try_for_each(|number| write_agent(out, number))
    })
}

/// Skills with instructions, labels and metadata. Returns the size of the file in bytes.
pub(crate) fn write_skills(path: &Path, count: usize) -> Result<u64> {
    write_file(path, |out| {
        writeln!(out, "skills:")?;
        (0..count).try_for_each(|number| write_skill(out, number))
    })
}

/// MCP servers with three tools each. Returns the size of the file in bytes.
pub(crate) fn write_servers(path: &Path, count: usize) -> Result<u64> {
    write_file(path, |out| {
        writeln!(out, "mcp_servers:")?;
        (0..count).try_for_each(|number| write_server(out, number))
    })
}

fn write_agent(out: &mut impl Write, number: usize) -> Result<()> {
    let mixed = mixed(number);
    writeln!(
        out,
        "  - name: {name}
    displayName: {first} {second} agent {number}
    description: \"{sentence}\"
    readme: |
      # {name}

      {sentence}

      Set MODEL_URL to a model that calls tools.
    framework: {framework}
    repositoryUrl: https://git.example/agents/{name}
    labels: [{first}, {second}]
    env: [{{name: MODEL_URL, required: true}}, {{name: LOG_LEVEL}}]
    artifacts: [{{uri: \"oci://registry.example/agents/{name}:1\"}}]
    templates: [{{name: agent.yaml, content: \"name: {name}\\nframework: {framework}\\n\"}}]
    customProperties:
      protocol: {{metadataType: MetadataStringValue, string_value: {protocol}}}
      seats: {{metadataType: MetadataIntValue, int_value: \"{seats}\"}}
      cost: {{metadataType: MetadataDoubleValue, double_value: {cost}.5}}",
        name = name(number),
        first = word(mixed, 1),
        second = word(mixed, 26),
        sentence = sentence(mixed),
        framework = FRAMEWORKS[mixed % FRAMEWORKS.len()],
        protocol = ["A2A", "ACP"][mixed / 2 % 2],
        seats = mixed % 100,
        cost = mixed / 7 % 50,
    )?;
    Ok(())
}

fn write_skill(out: &mut impl Write, number: usize) -> Result<()> {
    let mixed = mixed(number);
    writeln!(
        out,
        "  - name: {name}
    description: \"{sentence}\"
    version: 1.{minor}.0
    license: {license}
    category: {category}
    provider: Provider {provider}
    trustTier: organizationApproved
    allowedTools: [Read, \"Bash(git:*)\"]
    labels: [{first}, {second}]
    readme: |
      # {name}

      {sentence}

      1. Read the files.
      2. Write the result.
    supportingFiles: [scripts/run.sh, templates/report.md]
    customProperties:
      team: {{metadataType: MetadataStringValue, string_value: team-{team}}}
      rank: {{metadataType: MetadataIntValue, int_value: \"{rank}\"}}",
        name = name(number),
        sentence = sentence(mixed),
        minor = mixed % 20,
        license = ["Apache-2.0", "MIT"][mixed % 2],
        category = CATEGORIES[mixed % CATEGORIES.len()],
        provider = mixed % 50,
        first = word(mixed, 1),
        second = word(mixed, 26),
        team = mixed % 30,
        rank = mixed % 100,
    )?;
    Ok(())
}

fn write_server(out: &mut impl Write, number: usize) -> Result<()> {
    let mixed = mixed(number);
    writeln!(
        out,
        "  - name: {name}
    version: 1.0.{patch}
    provider: Provider {provider}
    description: \"{sentence}\"
    transports: [http]
    tags: [{first}, {second}]
    artifacts: [{{uri: \"oci://registry.example/mcp/{name}:1\"}}]
    tools:
      - {{name: read, description: \"Reads {first}\", accessType: read_only}}
      - {{name: write, description: \"Writes {first}\", accessType: read_write}}
      - {{name: run, description: \"Runs {second}\", accessType: execute}}",
        name = name(number),
        patch = mixed % 20,
        provider = mixed % 50,
        sentence = sentence(mixed),
        first = word(mixed, 1),
        second = word(mixed, 26),
    )?;
    Ok(())
}
