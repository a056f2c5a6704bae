//! The direction of a list in SQL, the same for all lists.

use model_registry_api::SortOrder;
use sea_query::{Expr, ExprTrait, Order};

pub fn order(sort_order: SortOrder) -> Order {
    match sort_order {
        SortOrder::Ascending => Order::Asc,
        SortOrder::Descending => Order::Desc,
    }
}

/// Whether a column's value comes later in the list than this one.
pub fn is_after(sort_order: SortOrder, column: Expr, value: impl Into<Expr>) -> Expr {
    match sort_order {
        SortOrder::Ascending => column.gt(value.into()),
        SortOrder::Descending => column.lt(value.into()),
    }
}

/// The same, or the value itself.
pub fn is_from(sort_order: SortOrder, column: Expr, value: impl Into<Expr>) -> Expr {
    match sort_order {
        SortOrder::Ascending => column.gte(value.into()),
        SortOrder::Descending => column.lte(value.into()),
    }
}
