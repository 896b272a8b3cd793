//! The manual, made from the declarations: a page for `man` per method, lists of methods and of error codes for the book, completions for shells.

mod book;
mod completion;
mod page;

pub use book::{error_table, method_table};
pub use completion::completions;
pub use page::man_page;

use crate::params::ParamInfo;
use crate::shape::Shape;

/// What a shape is called in the manual.
fn type_name(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".to_owned(),
        Shape::Scalar(name) => (*name).to_owned(),
        Shape::Choice(words) => match words {
            [word] => format!("`{word}`"),
            words => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
        },
        Shape::Array(items) if matches!(**items, Shape::Object(_)) => "array of objects".to_owned(),
        Shape::Array(items) => format!("array of {}", type_name(items)),
        Shape::Object(_) | Shape::Map(_) => "object".to_owned(),
        Shape::OneOf(shapes) => {
            let names: Vec<String> = shapes.iter().map(type_name).collect();
            names.join(" or ")
        }
    }
}

/// What stands in brackets after a parameter's name.
fn param_note(param: &ParamInfo) -> String {
    let mut note = type_name(&(param.shape)());
    if !param.required {
        note.push_str(", optional");
    }
    if let Some(default) = param.default_text() {
        note.push_str(", default ");
        note.push_str(&default);
    }
    if param.is_developer_only() {
        note.push_str(", for developers");
    }
    if let Some(since) = param.deprecated {
        note.push_str(", deprecated since ");
        note.push_str(since);
    }
    note
}
