//! Lists of a model's own fields, for writing: `|f| (f.delay, f.remark)`.

use super::{Field, assignment::position};
use crate::{model::ModelColumn, path::Root};

/// Fields of the model `M` itself: one, or a tuple of up to 16, or a tuple of such tuples.
pub trait FieldsOf<M> {
    /// Adds the positions of their columns.
    #[doc(hidden)]
    fn columns(out: &mut Vec<usize>);
}

/// A closure that gives fields of a model; the compiler points at the closure.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this closure does not give fields of `{M}`",
    label = "gives neither a field of `{M}` itself nor a tuple of up to 16",
    note = "fields are named alone, as in `|f| (f.name, f.city)`; those of related models are written through their own model"
)]
pub trait GivesFieldsOf<M, L> {
    fn columns() -> Vec<usize>;
}

#[diagnostic::do_not_recommend]
impl<M, L: FieldsOf<M>, F> GivesFieldsOf<M, L> for F {
    fn columns() -> Vec<usize> {
        let mut columns = Vec::new();
        L::columns(&mut columns);
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

impl<M, C: ModelColumn<Model = M>> FieldsOf<M> for Field<Root<M>, C> {
    fn columns(out: &mut Vec<usize>) {
        out.push(position::<C>());
    }
}

macro_rules! tuples {
    ($(($T:ident $S:ident $at:tt))+) => {
        impl<M, $($T: FieldsOf<M>),+> FieldsOf<M> for ($($T,)+) {
            fn columns(out: &mut Vec<usize>) {
                $( $T::columns(out); )+
            }
        }
    };
}
crate::tuples::for_each_tuple!(16 tuples);
