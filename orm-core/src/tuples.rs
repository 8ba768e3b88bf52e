//! Tuples: Rust has no generics for their lengths, so what tuples implement is written once for each length, from this list.

/// Calls a macro for the tuples of 1 to 4, 8, 12 or 16 elements, once for each length: with `(T0 S0 0) (T1 S1 1) …`, which
/// are two names of types for each element, and its position.
macro_rules! for_each_tuple {
    (4 $callback:ident) => {
        $crate::tuples::for_each_tuple!(@next $callback [] (T0 S0 0) (T1 S1 1) (T2 S2 2) (T3 S3 3));
    };
    (8 $callback:ident) => {
        $crate::tuples::for_each_tuple!(@next $callback []
            (T0 S0 0) (T1 S1 1) (T2 S2 2) (T3 S3 3) (T4 S4 4) (T5 S5 5) (T6 S6 6) (T7 S7 7));
    };
    (12 $callback:ident) => {
        $crate::tuples::for_each_tuple!(@next $callback []
            (T0 S0 0) (T1 S1 1) (T2 S2 2) (T3 S3 3) (T4 S4 4) (T5 S5 5) (T6 S6 6) (T7 S7 7)
            (T8 S8 8) (T9 S9 9) (T10 S10 10) (T11 S11 11));
    };
    (16 $callback:ident) => {
        $crate::tuples::for_each_tuple!(@next $callback []
            (T0 S0 0) (T1 S1 1) (T2 S2 2) (T3 S3 3) (T4 S4 4) (T5 S5 5) (T6 S6 6) (T7 S7 7)
            (T8 S8 8) (T9 S9 9) (T10 S10 10) (T11 S11 11) (T12 S12 12) (T13 S13 13) (T14 S14 14) (T15 S15 15));
    };
    (@next $callback:ident [$($before:tt)*] $next:tt $($rest:tt)*) => {
        $callback!($($before)* $next);
        $crate::tuples::for_each_tuple!(@next $callback [$($before)* $next] $($rest)*);
    };
    (@next $callback:ident [$($before:tt)*]) => {};
}
pub(crate) use for_each_tuple;
