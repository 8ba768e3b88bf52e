//! What Diesel has no API for: aggregates that are window functions, collations of text that need not be UTF-8, and a
//! function that asks what a column is declared as.
//!
//! Diesel does not hand out SQLite's connection. SQLite itself does, to an extension, when it opens one; the extension
//! registered here does nothing unless this crate is opening a connection on the same thread.
#![allow(unsafe_code)]

use std::{
    any::Any,
    cell::Cell,
    cmp::Ordering,
    ffi::{CStr, c_char, c_int, c_uchar, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::OnceLock,
};

use libsqlite3_sys as ffi;

thread_local! {
    /// The outcome of registering, while this thread opens a connection.
    static OPENING: Cell<Option<c_int>> = const { Cell::new(None) };
}

/// Opens a connection, and says whether the collations and window functions of this crate are registered with it.
pub(super) fn opening<C>(open: impl FnOnce() -> C) -> (C, bool) {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    // SAFETY: `on_open` has the signature of an extension's entry point, is a function of this program, and lives as
    // long as the process.
    let installed = *INSTALLED.get_or_init(|| unsafe { ffi::sqlite3_auto_extension(Some(on_open)) == ffi::SQLITE_OK });
    OPENING.set(Some(ffi::SQLITE_MISUSE));
    let connection = open();
    (connection, OPENING.take() == Some(ffi::SQLITE_OK) && installed)
}

/// SQLite calls this for each connection that is opened in the process.
unsafe extern "C" fn on_open(db: *mut ffi::sqlite3, _: *mut *mut c_char, _: *const ffi::sqlite3_api_routines) -> c_int {
    if OPENING.get().is_some() {
        OPENING.set(Some(super::register_raw(&Opened(db))));
    }
    // A connection without them is still a connection.
    ffi::SQLITE_OK
}

/// A connection that is being opened.
pub(super) struct Opened(*mut ffi::sqlite3);

impl Opened {
    /// Registers a collation; returns SQLite's result code.
    pub(super) fn collation<C: Collation>(&self, name: &CStr) -> c_int {
        // SAFETY: the connection is the one that SQLite has just opened, the name ends with NUL, and `collate` lives as
        // long as the process. There is no user data to be freed.
        unsafe {
            ffi::sqlite3_create_collation_v2(
                self.0,
                name.as_ptr(),
                ffi::SQLITE_UTF8,
                std::ptr::null_mut(),
                Some(collate::<C>),
                None,
            )
        }
    }

    /// Registers an aggregate of one argument that is a window function as well; returns SQLite's result code.
    pub(super) fn aggregate<F: Aggregate>(&self, name: &CStr) -> c_int {
        // SAFETY: as above.
        unsafe {
            ffi::sqlite3_create_window_function(
                self.0,
                name.as_ptr(),
                1,
                ffi::SQLITE_UTF8 | ffi::SQLITE_DETERMINISTIC,
                std::ptr::null_mut(),
                Some(step::<F>),
                Some(finish::<F>),
                Some(value::<F>),
                Some(inverse::<F>),
                None,
            )
        }
    }
}

impl Opened {
    /// Registers `orm_keep(value, schema, table, column, is_decimal)`: the value, or an error if the column would convert it.
    pub(super) fn keep(&self) -> c_int {
        // SAFETY: as above.
        unsafe {
            ffi::sqlite3_create_function_v2(
                self.0,
                c"orm_keep".as_ptr(),
                5,
                ffi::SQLITE_UTF8,
                std::ptr::null_mut(),
                Some(keep),
                None,
                None,
                None,
            )
        }
    }
}

unsafe extern "C" fn keep(context: *mut ffi::sqlite3_context, _: c_int, values: *mut *mut ffi::sqlite3_value) {
    let context = Context(context);
    context.run(|| {
        // SAFETY: the function is registered with five arguments. The texts end with NUL, or are null where the argument is
        // NULL, and live until the call returns, as the type's name does, which belongs to the connection's schema.
        let (value, declared, is_decimal) = unsafe {
            let text = |at: usize| ffi::sqlite3_value_text(*values.add(at)).cast::<c_char>();
            let mut declared: *const c_char = std::ptr::null();
            let code = ffi::sqlite3_table_column_metadata(
                ffi::sqlite3_context_db_handle(context.0),
                text(1),
                text(2),
                text(3),
                &mut declared,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            );
            // A view, or a table that the statement itself will report.
            let known = code == ffi::SQLITE_OK && !declared.is_null();
            (*values, known.then(|| CStr::from_ptr(declared)), ffi::sqlite3_value_int(*values.add(4)) != 0)
        };
        if let (Value::Text(text), Some(declared)) = (context.argument(values), declared) {
            super::affinity::check_kept(text, &declared.to_string_lossy(), is_decimal)?;
        }
        // SAFETY: the value is the first argument of the call that is being answered.
        unsafe { ffi::sqlite3_result_value(context.0, value) };
        Ok(())
    });
}

/// An order of texts.
pub(super) trait Collation: 'static {
    fn compare(a: &[u8], b: &[u8]) -> Ordering;
}

/// An aggregate of one argument.
pub(super) trait Aggregate: Default + 'static {
    /// What it gives.
    type Output: Answer;
    /// Adds the value of a row.
    fn step(&mut self, value: Value<'_>) -> Result<(), String>;
    /// Takes the value of the first row of the frame out of it.
    fn inverse(&mut self, value: Value<'_>) -> Result<(), String>;
    /// What it gives of the rows that are in it.
    fn value(&mut self) -> Option<Self::Output>;
}

/// An argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'v> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'v str),
    /// Something that is not a number; this is what it is.
    Other(&'static str),
}

/// A result.
pub(super) trait Answer {
    #[doc(hidden)]
    fn give(self, context: &Context);
}

/// The call that a result is for.
pub(super) struct Context(*mut ffi::sqlite3_context);

impl Answer for f64 {
    fn give(self, context: &Context) {
        // SAFETY: the context is that of the call that is being answered.
        unsafe { ffi::sqlite3_result_double(context.0, self) }
    }
}

/// SQLite's number for UTF-8, as `sqlite3_result_text64` takes it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it is 1
const UTF8: c_uchar = ffi::SQLITE_UTF8 as c_uchar;

impl Answer for String {
    fn give(self, context: &Context) {
        // SAFETY: the context is that of the call that is being answered; SQLite copies the text, whose length is given,
        // before the call returns.
        unsafe {
            ffi::sqlite3_result_text64(
                context.0,
                self.as_ptr().cast(),
                self.len() as u64,
                ffi::SQLITE_TRANSIENT(),
                UTF8,
            );
        }
    }
}

impl Context {
    fn fail(&self, reason: &str) {
        let length = c_int::try_from(reason.len()).unwrap_or(c_int::MAX);
        // SAFETY: the context is that of the call that is being answered; SQLite copies the message.
        unsafe { ffi::sqlite3_result_error(self.0, reason.as_ptr().cast(), length) }
    }

    /// Runs the call: an error or a panic fails the statement.
    fn run(&self, call: impl FnOnce() -> Result<(), String>) {
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => self.fail(&reason),
            Err(panic) => self.fail(&format!("an aggregate panicked: {}", panic_message(&*panic))),
        }
    }

    /// The state of the aggregate; `None` where no row was added and none is to be.
    #[allow(clippy::mut_from_ref)] // the state is SQLite's, and calls do not overlap
    fn state<F: Aggregate>(&self, adding: bool) -> Option<&mut F> {
        let size = if adding { size_of::<*mut F>() } else { 0 };
        // SAFETY: SQLite returns memory of at least that size, aligned for a pointer and filled with zeros, that belongs to
        // this aggregate alone, or null. The pointer in it is null or comes from `Box::into_raw` below, of the same `F`,
        // because the functions of one registration share one `F`; nobody else has it, and calls do not overlap.
        unsafe {
            let slot: *mut *mut F =
                ffi::sqlite3_aggregate_context(self.0, c_int::try_from(size).unwrap_or_default()).cast();
            if slot.is_null() {
                return None;
            }
            if (*slot).is_null() {
                *slot = Box::into_raw(Box::default());
            }
            Some(&mut **slot)
        }
    }

    /// Gives the memory of the state back.
    fn drop_state<F: Aggregate>(&self) {
        // SAFETY: as in `state`; SQLite calls no function of this aggregate after its last one.
        unsafe {
            let slot: *mut *mut F = ffi::sqlite3_aggregate_context(self.0, 0).cast();
            if !slot.is_null() && !(*slot).is_null() {
                drop(Box::from_raw(std::mem::replace(&mut *slot, std::ptr::null_mut())));
            }
        }
    }

    fn answer<F: Aggregate>(&self) {
        self.run(|| {
            let answer = match self.state::<F>(false) {
                Some(state) => state.value(),
                None => F::default().value(),
            };
            match answer {
                Some(answer) => answer.give(self),
                // SAFETY: the context is that of the call that is being answered.
                None => unsafe { ffi::sqlite3_result_null(self.0) },
            }
            Ok(())
        });
    }

    /// The only argument, for as long as the call lasts.
    fn argument(&self, values: *mut *mut ffi::sqlite3_value) -> Value<'_> {
        // SAFETY: the functions are registered with one argument, so there is one value. Its text is asked for before its
        // length, is as long as that, and lives until the call returns, as `self` does.
        unsafe {
            let value = *values;
            match ffi::sqlite3_value_type(value) {
                ffi::SQLITE_NULL => Value::Null,
                ffi::SQLITE_INTEGER => Value::Integer(ffi::sqlite3_value_int64(value)),
                ffi::SQLITE_FLOAT => Value::Real(ffi::sqlite3_value_double(value)),
                ffi::SQLITE_TEXT => {
                    let text = ffi::sqlite3_value_text(value);
                    let length = usize::try_from(ffi::sqlite3_value_bytes(value)).unwrap_or_default();
                    if text.is_null() {
                        return Value::Other("text that memory has no room for");
                    }
                    std::str::from_utf8(std::slice::from_raw_parts(text.cast(), length))
                        .map_or(Value::Other("text that is not UTF-8"), Value::Text)
                }
                _ => Value::Other("a BLOB"),
            }
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

// SAFETY, of the functions below: SQLite calls them with what it documents for them, as they were registered above.

unsafe extern "C" fn step<F: Aggregate>(
    context: *mut ffi::sqlite3_context,
    _: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    let context = Context(context);
    context.run(|| match context.state::<F>(true) {
        Some(state) => state.step(context.argument(values)),
        None => Err("out of memory".into()),
    });
}

unsafe extern "C" fn inverse<F: Aggregate>(
    context: *mut ffi::sqlite3_context,
    _: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    let context = Context(context);
    context.run(|| match context.state::<F>(true) {
        Some(state) => state.inverse(context.argument(values)),
        None => Err("out of memory".into()),
    });
}

unsafe extern "C" fn value<F: Aggregate>(context: *mut ffi::sqlite3_context) {
    Context(context).answer::<F>();
}

unsafe extern "C" fn finish<F: Aggregate>(context: *mut ffi::sqlite3_context) {
    let context = Context(context);
    context.answer::<F>();
    context.drop_state::<F>();
}

unsafe extern "C" fn collate<C: Collation>(
    _: *mut c_void,
    a_length: c_int,
    a: *const c_void,
    b_length: c_int,
    b: *const c_void,
) -> c_int {
    let bytes = |text: *const c_void, length: c_int| match usize::try_from(length) {
        // SAFETY: SQLite gives texts of these lengths, which live until the call returns.
        Ok(length) if length > 0 && !text.is_null() => unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) },
        _ => &[],
    };
    let (a, b) = (bytes(a, a_length), bytes(b, b_length));
    // A collation cannot fail; by their bytes, texts have an order at least.
    match catch_unwind(|| C::compare(a, b)).unwrap_or_else(|_| a.cmp(b)) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}
