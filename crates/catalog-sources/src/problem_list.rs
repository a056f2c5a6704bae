//! A list of problems that is capped in length.

use crate::problem::Problem;

/// A file may have as many mistakes as items; more than this are only counted.
const MOST_KEPT: usize = 1_000;
/// Problems that a summary quotes.
const MOST_QUOTED: usize = 20;

/// Problems of one category: all are counted, the first are kept.
#[derive(Debug, Default)]
pub(crate) struct ProblemList {
    kept: Vec<Problem>,
    count: usize,
}

impl ProblemList {
    pub(crate) fn push(&mut self, problem: Problem) {
        self.count += 1;
        if self.kept.len() < MOST_KEPT {
            self.kept.push(problem);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The first problems, joined into one line.
    pub(crate) fn summary(&self) -> String {
        let quoted: Vec<String> = self.kept.iter().take(MOST_QUOTED).map(ToString::to_string).collect();
        quoted.join("; ")
    }

    /// The problems that were kept, and one that has the number of the others.
    pub(crate) fn into_problems(self, source_id: &str) -> Vec<Problem> {
        let Self { mut kept, count } = self;
        let more = count - kept.len();
        if more > 0 {
            let reason = format!("{more} more problems of this category");
            kept.push(Problem { location: format!("source {source_id}"), reason });
        }
        kept
    }
}

impl Extend<Problem> for ProblemList {
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
    fn all_problems_are_counted_and_the_first_are_kept() {
        let mut list = ProblemList::default();
        let problem = |number: usize| Problem { location: number.to_string(), reason: "wrong".to_owned() };
        list.extend((0..MOST_KEPT).map(problem));
        assert_eq!((list.count(), list.summary().matches("wrong").count()), (MOST_KEPT, MOST_QUOTED));
        list.extend((0..7).map(problem));
        assert_eq!(list.count(), MOST_KEPT + 7);
        let problems = list.into_problems("a");
        assert_eq!(problems.len(), MOST_KEPT + 1);
        let last = problems.last().map(ToString::to_string);
        assert_eq!(last.as_deref(), Some("source a: 7 more problems of this category"));
    }
}
