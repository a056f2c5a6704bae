//! One test per database from one test function.

/// Declares a test on each database for every named `async fn(Backend)` of the module.
///
/// The tests are in modules named after the databases: `changes::postgres::a_change_is_read_once` runs
/// `changes::a_change_is_read_once` on PostgreSQL, and `cargo test postgres::` runs everything on that database. A database
/// without a server to test on is skipped; `TestDatabase` lists what that needs. Invoke it once per module. A function
/// that is not listed is reported by the compiler as unused.
///
/// `multi_thread:` in front of the names runs them on a runtime with several threads.
///
/// ```text
/// on_each_database!(a_model_is_created, a_name_is_unique);
///
/// async fn a_model_is_created(backend: Backend) { … }
/// ```
#[macro_export]
macro_rules! on_each_database {
    (multi_thread: $($test:ident),+ $(,)?) => {
        $crate::on_each_database!(@modules [tokio::test(flavor = "multi_thread", worker_threads = 4)] $($test)+);
    };
    (@modules $attribute:tt $($test:ident)+) => {
        $crate::on_each_database!(@module $attribute sqlite Sqlite $($test)+);
        $crate::on_each_database!(@module $attribute postgres Postgres $($test)+);
        $crate::on_each_database!(@module $attribute mariadb MariaDb $($test)+);
        $crate::on_each_database!(@module $attribute mysql MySql $($test)+);
    };
    (@module $attribute:tt $module:ident $backend:ident $($test:ident)+) => {
        mod $module {
            $(
                #$attribute
                async fn $test() {
                    if $crate::Backend::$backend.is_configured() {
                        super::$test($crate::Backend::$backend).await;
                    }
                }
            )+
        }
    };
    ($($test:ident),+ $(,)?) => {
        $crate::on_each_database!(@modules [tokio::test] $($test)+);
    };
}
