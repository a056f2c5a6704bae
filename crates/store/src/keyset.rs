//! Keyset pagination in SQL: the order of a list, and the rows after a cursor.

use model_registry_api::SortOrder;
use sea_query::{Expr, ExprTrait, Order};

pub fn order(sort_order: SortOrder) -> Order {
    match sort_order {
        SortOrder::Ascending => Order::Asc,
        SortOrder::Descending => Order::Desc,
    }
}

/// Whether the column's value comes after this one in the order of the list.
pub fn is_after(sort_order: SortOrder, column: Expr, value: impl Into<Expr>) -> Expr {
    match sort_order {
        SortOrder::Ascending => column.gt(value.into()),
        SortOrder::Descending => column.lt(value.into()),
    }
}

/// Whether the column's value is this one or comes after it.
pub fn is_from(sort_order: SortOrder, column: Expr, value: impl Into<Expr>) -> Expr {
    match sort_order {
        SortOrder::Ascending => column.gte(value.into()),
        SortOrder::Descending => column.lte(value.into()),
    }
}

/// Whether the column's value is this one or comes before it.
pub(crate) fn is_until(sort_order: SortOrder, column: Expr, value: impl Into<Expr>) -> Expr {
    match sort_order {
        SortOrder::Ascending => column.lte(value.into()),
        SortOrder::Descending => column.gte(value.into()),
    }
}
