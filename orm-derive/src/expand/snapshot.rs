//! What the derive writes for one model, kept in `snapshot.txt` so that a change of it is seen in review.
//!
//! `ORM_UPDATE_SNAPSHOT=1 cargo test -p orm-derive` writes it anew.

use std::{fs, path::Path};

use syn::parse_quote;

#[test]
fn the_code_of_one_model_is_as_it_was() {
    let code = super::model(&parse_quote! {
        #[model(table = "flights", many_to_many(origin = sources, crew = crews), crate = ::another::path)]
        pub struct Flight {
            #[model(primary_key, generated)]
            pub id: i64,
            #[model(column = "delay")]
            dep_delay: Option<f64>,
            #[model(belongs_to(Airport, name = origin, key = code, reverse = departures, optional))]
            pub(crate) r#from: String,
            #[model(belongs_to(super::Crew, reverse = flight, unique))]
            crew_id: i64,
        }
    });
    assert!(!code.to_string().contains("orm_core"), "the crate's path is the one that was given, everywhere");
    let file = syn::parse2(code).expect("the code is Rust");
    let now = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/expand/snapshot.txt");
    if std::env::var_os("ORM_UPDATE_SNAPSHOT").is_some() {
        fs::write(&path, &now).expect("the snapshot can be written");
    }
    let kept = fs::read_to_string(&path).expect("the snapshot can be read");
    assert!(
        now == kept,
        "the code has changed; see the difference after `ORM_UPDATE_SNAPSHOT=1 cargo test -p orm-derive`"
    );
}
