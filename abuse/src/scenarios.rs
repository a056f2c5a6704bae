//! All scenarios, in the order in which they run.

mod clock_ahead;
mod connections_swallowed;
mod database_killed;
mod deep_json;
mod disk_full;
mod expensive_filters;
mod expensive_patterns;
mod failover;
mod files_exhausted;
mod framing;
mod header_flood;
mod http2_unread;
mod kill;
mod large_bodies;
mod large_list;
mod many_numbers;
mod odd_files;
mod packet_loss;
mod paths;
mod rapid_reset;
mod read_only;
mod slow_bodies;
mod tokens;
mod yaml_bombs;

use crate::scenario::Scenario;

pub(crate) const ALL: [&Scenario; 24] = [
    &kill::SCENARIO,
    &database_killed::SCENARIO,
    &disk_full::SCENARIO,
    &connections_swallowed::SCENARIO,
    &packet_loss::SCENARIO,
    &failover::SCENARIO,
    &read_only::SCENARIO,
    &clock_ahead::SCENARIO,
    &files_exhausted::SCENARIO,
    &odd_files::SCENARIO,
    &large_list::SCENARIO,
    &large_bodies::SCENARIO,
    &many_numbers::SCENARIO,
    &http2_unread::SCENARIO,
    &slow_bodies::SCENARIO,
    &expensive_patterns::SCENARIO,
    &expensive_filters::SCENARIO,
    &yaml_bombs::SCENARIO,
    &deep_json::SCENARIO,
    &header_flood::SCENARIO,
    &rapid_reset::SCENARIO,
    &framing::SCENARIO,
    &paths::SCENARIO,
    &tokens::SCENARIO,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_databases_of_the_short_form_are_among_those_of_the_full_one() {
        for scenario in ALL {
            assert!(scenario.short.iter().all(|backend| scenario.databases.contains(backend)), "{}", scenario.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::HashSet<_> = ALL.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
