//! The book is typed: every command of its pages and of the README runs, and what they show is what came.
//!
//! [`Page`] reads a page, [`Shell`] is where its commands are typed, [`run`](run()) does the one with the other, [`compare`](compare())
//! decides whether output is what the page shows. CONTRIBUTING.md has the rules for those who write pages.

mod compare;
mod page;
mod place;
mod run;
mod shell;

pub use compare::compare;
pub use page::{Page, Shown, Step, What};
pub use place::Place;
pub use run::{Report, book, read, repository, run};
pub use shell::{Shell, Typed};
