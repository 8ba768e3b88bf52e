//! Conditions on a thing, as values that can be generated, shown and made smaller. They name values by their numbers.

use proptest::{collection::vec, prelude::*};

use crate::question::{Comparison, comparison};

/// A field of the thing or of its parent, who may be none.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Always,
    Maybe,
    OfParent,
}

/// A condition that has no other in it. Values are numbers of the type's list.
#[derive(Clone, Debug)]
pub(super) enum Leaf {
    Compared(At, Comparison, usize),
    /// The field that may be NULL with the parent's; where it is `true`, with the parent's that is never NULL.
    WithParent(Comparison, bool),
    In(At, Vec<usize>),
    NotIn(At, Vec<usize>),
    Between(At, usize, usize),
    NotBetween(At, usize, usize),
    IsNull(At, bool),
    /// Of the children: any, none or all of them.
    AnyChild(Comparison, usize),
    NoChild(Comparison, usize),
    AllChildren(Comparison, usize),
    Children(Comparison, i64),
    /// The least and the greatest value of the children, where SQL has them.
    LeastOfChildren(Comparison, usize),
    GreatestOfChildren(Comparison, usize),
    /// The value of the child with the greatest key.
    LastChild(Comparison, usize),
    /// What only this type has, by number.
    Special(usize, usize),
}

pub(super) fn leaf() -> impl Strategy<Value = Leaf> {
    let at = || prop::sample::select(vec![At::Always, At::Maybe, At::OfParent]);
    let value = || 0..64_usize;
    prop_oneof![
        4 => (at(), comparison(), value()).prop_map(|(at, by, v)| Leaf::Compared(at, by, v)),
        2 => (comparison(), any::<bool>()).prop_map(|(by, always)| Leaf::WithParent(by, always)),
        2 => (at(), vec(value(), 0..4)).prop_map(|(at, values)| Leaf::In(at, values)),
        2 => (at(), vec(value(), 0..4)).prop_map(|(at, values)| Leaf::NotIn(at, values)),
        1 => (at(), value(), value()).prop_map(|(at, a, b)| Leaf::Between(at, a, b)),
        1 => (at(), value(), value()).prop_map(|(at, a, b)| Leaf::NotBetween(at, a, b)),
        1 => (at(), any::<bool>()).prop_map(|(at, is)| Leaf::IsNull(at, is)),
        1 => (comparison(), value()).prop_map(|(by, v)| Leaf::AnyChild(by, v)),
        1 => (comparison(), value()).prop_map(|(by, v)| Leaf::NoChild(by, v)),
        1 => (comparison(), value()).prop_map(|(by, v)| Leaf::AllChildren(by, v)),
        1 => (comparison(), 0..3_i64).prop_map(|(by, n)| Leaf::Children(by, n)),
        1 => (comparison(), value()).prop_map(|(by, v)| Leaf::LeastOfChildren(by, v)),
        1 => (comparison(), value()).prop_map(|(by, v)| Leaf::GreatestOfChildren(by, v)),
        1 => (comparison(), value()).prop_map(|(by, v)| Leaf::LastChild(by, v)),
        5 => (0..12_usize, value()).prop_map(|(n, v)| Leaf::Special(n, v)),
    ]
}
