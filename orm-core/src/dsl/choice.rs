//! Choosing among values: the first that is not NULL, the greatest, the one whose condition is true.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{IntoNotNullable, SqlType, Text, is_nullable},
};

use crate::{
    backend::{BackendKind, Driver},
    field::{
        Expr, Readable,
        collation::computed,
        expr::on_expressions,
        facts,
        function::{Arguments, Call, Function, Nullness, Plain, Refit, Words},
    },
    sql_types::ColumnSql,
    types::{Inferred, IntoText, Native, Term, Typed},
};

/// The SQL type of an expression, not nullable.
type Base<E> = <<E as Expression>::SqlType as IntoNotNullable>::NotNullable;
/// Whether an expression may be NULL.
type NullOf<E> = <<E as Expression>::SqlType as SqlType>::IsNull;

/// A value as an expression, so that it can stand on the left of an operator: `value(1) + f.seats`.
///
/// ```
/// use orm_core::{dsl::value, prelude::*};
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, tz: i32 }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport,)>()?;
/// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), tz: -5 }])?;
/// assert_eq!(Airport::objects(&db).values(|a| value(100) - a.tz).load()?, [105]);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn value<T: Typed>(value: T) -> Expr<T::Expression> {
    Expr(value.into_typed())
}

/// `COALESCE`: the first of up to 8 values that is not NULL; NULL where all are.
///
/// The first decides the type: a field or another expression. It is no `Option` where one of them cannot be NULL.
///
/// ```
/// use orm_core::{dsl::coalesce, prelude::*};
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: Option<String> }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport,)>()?;
/// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: None }])?;
/// let cities: Vec<String> = Airport::objects(&db).values(|a| coalesce((a.city, a.code))).load()?;
/// assert_eq!(cities, ["JFK"]);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn coalesce<T: Choices>(values: T) -> Expr<Listed<Coalesce, T::Items>> {
    Expr(Listed { kind: Coalesce, items: values.into_items() })
}

/// `GREATEST`: the greatest of 2 to 8 values; NULL where any of them is NULL, on every backend.
///
/// The first decides the type: a field or another expression.
///
/// ```
/// use orm_core::{dsl::{greatest, least}, prelude::*};
/// # #[derive(Model)] struct Flight { #[model(primary_key)] id: i64, planned: i32, flown: Option<i32> }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Flight,)>()?;
/// # Flight::bulk_create(&db, [Flight { id: 1, planned: 5, flown: Some(7) }, Flight { id: 2, planned: 5, flown: None }])?;
/// let query = Flight::objects(&db).order_by(|f| f.id.asc());
/// let pairs = query.values(|f| (greatest((f.planned, f.flown)), least((f.planned, 3)))).load()?;
/// assert_eq!(pairs, [(Some(7), 3), (None, 3)]);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn greatest<T: Choices>(values: T) -> Expr<Listed<Greatest, T::Items>> {
    Expr(Listed { kind: Greatest, items: values.into_items() })
}

/// `LEAST`: the least of 2 to 8 values; as [`greatest`].
pub fn least<T: Choices>(values: T) -> Expr<Listed<Least, T::Items>> {
    Expr(Listed { kind: Least, items: values.into_items() })
}

/// 1 to 8 texts joined into one. NULL counts as empty text, on every backend.
///
/// ```
/// use orm_core::{dsl::concat, prelude::*};
/// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: Option<String> }
/// # let db = orm_core::connect("sqlite::memory:")?;
/// # db.create_tables::<(Airport,)>()?;
/// # let airport = |code: &str, city: Option<&str>| Airport { code: code.into(), city: city.map(Into::into) };
/// # Airport::bulk_create(&db, [airport("JFK", Some("New York")), airport("XXX", None)])?;
/// let query = Airport::objects(&db).order_by(|a| a.code.asc());
/// assert_eq!(query.values(|a| concat((a.code, ": ", a.city))).load()?, ["JFK: New York", "XXX: "]);
/// # Ok::<(), orm_core::Error>(())
/// ```
pub fn concat<T: Texts>(texts: T) -> Expr<Listed<Concat, T::Items>> {
    Expr(Listed { kind: Concat, items: texts.into_items() })
}

/// What [`coalesce`], [`greatest`] and [`least`] take: a tuple of an expression, and values or expressions of its SQL type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of values of one SQL type",
    label = "not a tuple of up to 8 values, the first of which is a field or another expression"
)]
pub trait Choices {
    #[doc(hidden)]
    type Items;
    #[doc(hidden)]
    fn into_items(self) -> Self::Items;
}

/// What [`concat()`] takes: a tuple of texts, and of expressions of text.
#[diagnostic::on_unimplemented(message = "`{Self}` is no tuple of up to 8 texts", label = "not a tuple of texts")]
pub trait Texts {
    #[doc(hidden)]
    type Items;
    #[doc(hidden)]
    fn into_items(self) -> Self::Items;
}

/// Several expressions, made into one.
#[derive(Clone, Copy, Debug)]
#[must_use = "an expression does nothing until it is used in a query"]
pub struct Listed<K, I> {
    kind: K,
    items: I,
}

/// [`coalesce`]
#[derive(Clone, Copy, Debug)]
pub struct Coalesce;
/// [`greatest`]
#[derive(Clone, Copy, Debug)]
pub struct Greatest;
/// [`least`]
#[derive(Clone, Copy, Debug)]
pub struct Least;
/// [`concat()`]
#[derive(Clone, Copy, Debug)]
pub struct Concat;

/// What several expressions give.
#[doc(hidden)]
pub trait Gives<I> {
    type SqlType: ColumnSql + TypedExpressionType;
    type Rust: 'static;
    type Codec;
}

/// How several expressions are written.
#[doc(hidden)]
pub trait Layout {
    fn layout(&self, backend: BackendKind) -> [&'static str; 3];
    /// Whether it is NULL by itself where one of them is.
    fn ignores_nulls(&self, _: BackendKind) -> bool {
        false
    }
}
impl Layout for Coalesce {
    fn layout(&self, _: BackendKind) -> [&'static str; 3] {
        ["COALESCE(", ", ", ")"]
    }
}
impl Layout for Greatest {
    fn layout(&self, backend: BackendKind) -> [&'static str; 3] {
        [if backend == BackendKind::Sqlite { "MAX(" } else { "GREATEST(" }, ", ", ")"]
    }
    fn ignores_nulls(&self, backend: BackendKind) -> bool {
        backend == BackendKind::Postgres
    }
}
impl Layout for Least {
    fn layout(&self, backend: BackendKind) -> [&'static str; 3] {
        [if backend == BackendKind::Sqlite { "MIN(" } else { "LEAST(" }, ", ", ")"]
    }
    fn ignores_nulls(&self, backend: BackendKind) -> bool {
        backend == BackendKind::Postgres
    }
}
impl Layout for Concat {
    fn layout(&self, backend: BackendKind) -> [&'static str; 3] {
        match backend {
            // It leaves NULLs out.
            BackendKind::Postgres => ["CONCAT(", ", ", ")"],
            BackendKind::Mysql => ["CONCAT(COALESCE(", ", ''), COALESCE(", ", ''))"],
            BackendKind::Sqlite => ["(COALESCE(", ", '') || COALESCE(", ", ''))"],
        }
    }
}

macro_rules! listed {
    (($A:ident $S:ident $at:tt) $(($T:ident $Ss:ident $ats:tt))*) => {
        impl<$A, $($T),*> Choices for ($A, $($T,)*)
        where
            $A: Readable<SqlType: IntoNotNullable>,
            $( $T: Term<Base<$A>>, )*
        {
            type Items = ($A, $(Inferred<$T::SqlType, $T::Expression>,)*);
            #[allow(non_snake_case)] // the type parameters name the values, too
            fn into_items(self) -> Self::Items {
                let ($A, $($T,)*) = self;
                ($A, $(Inferred::new($T.into_term()),)*)
            }
        }

        impl<$A: IntoText, $($T: IntoText),*> Texts for ($A, $($T,)*) {
            type Items = ($A::Expression, $($T::Expression,)*);
            #[allow(non_snake_case)] // the type parameters name the values, too
            fn into_items(self) -> Self::Items {
                let ($A, $($T,)*) = self;
                ($A.into_text(), $($T.into_text(),)*)
            }
        }

        impl<$A, $($T),*> Gives<($A, $($T,)*)> for Coalesce
        where
            $A: Readable<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: Plain>>,
            $( $T: Expression<SqlType: SqlType<IsNull: Nullness>>, )*
            (NullOf<$A>, listed!(@null And $A $($T)*)): Refit<$A::Rust, $A::Codec>,
        {
            type SqlType = <listed!(@null And $A $($T)*) as Nullness>::Of<Base<$A>>;
            type Rust = <(NullOf<$A>, listed!(@null And $A $($T)*)) as Refit<$A::Rust, $A::Codec>>::Rust;
            type Codec = <(NullOf<$A>, listed!(@null And $A $($T)*)) as Refit<$A::Rust, $A::Codec>>::Codec;
        }
        listed!(@or Greatest $A $($T)*);
        listed!(@or Least $A $($T)*);

        impl<$A, $($T),*> Gives<($A, $($T,)*)> for Concat {
            type SqlType = Text;
            type Rust = String;
            type Codec = Native;
        }
    };
    (@or $kind:ident $A:ident $($T:ident)*) => {
        impl<$A, $($T),*> Gives<($A, $($T,)*)> for $kind
        where
            $A: Readable<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: Plain>>,
            $( $T: Expression<SqlType: SqlType<IsNull: Nullness>>, )*
            (NullOf<$A>, listed!(@null Or $A $($T)*)): Refit<$A::Rust, $A::Codec>,
        {
            type SqlType = <listed!(@null Or $A $($T)*) as Nullness>::Of<Base<$A>>;
            type Rust = <(NullOf<$A>, listed!(@null Or $A $($T)*)) as Refit<$A::Rust, $A::Codec>>::Rust;
            type Codec = <(NullOf<$A>, listed!(@null Or $A $($T)*)) as Refit<$A::Rust, $A::Codec>>::Codec;
        }
    };
    (@null $op:ident $A:ident) => { NullOf<$A> };
    (@null $op:ident $A:ident $($T:ident)+) => { <NullOf<$A> as Nullness>::$op<listed!(@null $op $($T)+)> };
}
crate::tuples::for_each_tuple!(8 listed);

impl<K: Gives<I>, I> Expression for Listed<K, I> {
    type SqlType = K::SqlType;
}
impl<K: Gives<I>, I> Readable for Listed<K, I> {
    type Rust = K::Rust;
    type Codec = K::Codec;
}
impl<QS, K: Gives<I>, I: AppearsOnTable<QS>> AppearsOnTable<QS> for Listed<K, I> {}
impl<QS, K: Gives<I>, I: AppearsOnTable<QS>> SelectableExpression<QS> for Listed<K, I> {}
impl<G, K, I: ValidGrouping<G>> ValidGrouping<G> for Listed<K, I> {
    type IsAggregate = I::IsAggregate;
}
impl<K, I> QueryId for Listed<K, I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Driver, K: Gives<I> + Layout, I: Arguments<DB>> QueryFragment<DB> for Listed<K, I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        facts::known::<Self>();
        let [before, between, behind] = self.kind.layout(DB::KIND);
        let checks = K::SqlType::NULLABLE && self.kind.ignores_nulls(DB::KIND);
        if checks {
            for at in 0..I::NUMBER {
                // A parameter whose type is inferred has none where it stands alone: in COALESCE it is text.
                out.push_sql(if at == 0 { "(CASE WHEN COALESCE(" } else { " OR COALESCE(" });
                self.items.write(at, out.reborrow())?;
                out.push_sql(") IS NULL");
            }
            out.push_sql(" THEN NULL ELSE ");
        }
        out.push_sql(before);
        for at in 0..I::NUMBER {
            if at > 0 {
                out.push_sql(between);
            }
            // Nor are the types of columns and values made alike by SQLite's functions.
            computed::<DB, K::SqlType>(out.reborrow(), |out| self.items.write(at, out))?;
        }
        out.push_sql(behind);
        if checks {
            out.push_sql(" END)");
        }
        Ok(())
    }
}

on_expressions! {
    /// `NULLIF`: NULL where the expression is equal to `other`, else the expression.
    ///
    /// ```
    /// # use orm_core::prelude::*;
    /// # #[derive(Model)] struct Airport { #[model(primary_key)] code: String, city: String }
    /// # let db = orm_core::connect("sqlite::memory:")?;
    /// # db.create_tables::<(Airport,)>()?;
    /// # Airport::bulk_create(&db, [Airport { code: "JFK".into(), city: String::new() }])?;
    /// assert_eq!(Airport::objects(&db).values(|a| a.city.nullif("")).load()?, [None]);
    /// # Ok::<(), orm_core::Error>(())
    /// ```
    pub fn nullif<T>(self, other: T) -> NullIfOf<Self, T>
    where
        Self: Expression<SqlType: IntoNotNullable>,
        T: Term<Base<Self>>,
    {
        Function::expression(NullIf, (self, Inferred::new(other.into_term())))
    }
}

/// The expression that `T` becomes beside `E`.
type OtherValue<E, T> = Inferred<<T as Term<Base<E>>>::SqlType, <T as Term<Base<E>>>::Expression>;

/// `NULLIF` of `E` and `T`.
type NullIfOf<E, T> = Expr<Function<NullIf, (E, OtherValue<E, T>)>>;

/// `nullif`
#[derive(Clone, Copy, Debug)]
pub struct NullIf;

impl<A, B> Call<(A, B)> for NullIf
where
    A: Readable<SqlType: SqlType<IsNull: Nullness> + IntoNotNullable<NotNullable: Plain>>,
    (NullOf<A>, is_nullable::IsNullable): Refit<A::Rust, A::Codec>,
{
    type SqlType = <is_nullable::IsNullable as Nullness>::Of<Base<A>>;
    type Rust = <(NullOf<A>, is_nullable::IsNullable) as Refit<A::Rust, A::Codec>>::Rust;
    type Codec = <(NullOf<A>, is_nullable::IsNullable) as Refit<A::Rust, A::Codec>>::Codec;
    fn words(&self) -> Words {
        // SQLite's functions do not make the types of their arguments alike, as a comparison does.
        let sqlite = if <Base<A> as ColumnSql>::COLUMN.is_decimal() {
            "(CASE WHEN {0} = {1} THEN NULL ELSE {0} END)"
        } else {
            "NULLIF({0}, {1})"
        };
        Words::each("NULLIF({0}, {1})", "NULLIF({0}, {1})", sqlite)
    }
}
