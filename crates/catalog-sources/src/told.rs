//! What is told about the items of a source.

use crate::yaml::Problem;

/// A file may have as many mistakes as items; nobody reads more of them than this.
const MOST_KEPT: usize = 1_000;

/// Problems of one kind: all are counted, the first are kept.
#[derive(Debug, Default)]
pub struct Told {
    kept: Vec<Problem>,
    count: usize,
}

impl Told {
    pub fn push(&mut self, problem: Problem) {
        self.count += 1;
        if self.kept.len() < MOST_KEPT {
            self.kept.push(problem);
        }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// The first of them in one line.
    pub fn first(&self) -> String {
        let shown: Vec<String> = self.kept.iter().take(20).map(ToString::to_string).collect();
        shown.join("; ")
    }

    /// Those that are kept, and how many more there were.
    pub fn into_problems(self, source_id: &str) -> Vec<Problem> {
        let Self { mut kept, count } = self;
        let more = count - kept.len();
        if more > 0 {
            kept.push(Problem { place: format!("source {source_id}"), reason: format!("{more} more like these") });
        }
        kept
    }
}

impl Extend<Problem> for Told {
    fn extend<T: IntoIterator<Item = Problem>>(&mut self, problems: T) {
        for problem in problems {
            self.push(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_kept() {
        let mut told = Told::default();
        let problem = |number: usize| Problem { place: number.to_string(), reason: "wrong".to_owned() };
        told.extend((0..MOST_KEPT).map(problem));
        assert_eq!((told.count(), told.first().matches("wrong").count()), (MOST_KEPT, 20));
        told.extend((0..7).map(problem));
        assert_eq!(told.count(), MOST_KEPT + 7);
        let problems = told.into_problems("a");
        assert_eq!(problems.len(), MOST_KEPT + 1);
        assert_eq!(problems.last().map(ToString::to_string).as_deref(), Some("source a: 7 more like these"));
    }
}
