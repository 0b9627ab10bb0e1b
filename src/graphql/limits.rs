//! Limits on tokens, depth, aliases, directives and cost of an operation.
//!
//! They are checked before execution and outside async-graphql, whose extensions add overhead to every field.

mod heaviest;

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, ServerError, Value, Variables};

use heaviest::HeaviestWalk;

use super::error::request_error;
use super::introspection;
use super::page::DEFAULT_PAGE;
use super::type_map::{FieldInfo, TypeMap, root};
use crate::config::Limits;

/// Rejects a document with too many tokens, before it is parsed.
///
/// # Errors
/// `TOO_MANY_TOKENS`.
pub fn check_tokens(query: &str, limits: &Limits) -> Result<(), ServerError> {
    let tokens = count_tokens(query, limits.tokens);
    if tokens > limits.tokens {
        let message = format!("The document has more than {} tokens.", limits.tokens);
        return Err(request_error("TOO_MANY_TOKENS", message));
    }
    Ok(())
}

/// Counts the tokens approximately as a lexer would; stops after more than `enough`.
fn count_tokens(query: &str, enough: usize) -> usize {
    let mut tokens = 0;
    let mut in_word = false;
    let mut comment = false;
    for byte in query.bytes() {
        if comment {
            comment = byte != b'\n';
            continue;
        }
        let word = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte >= 0x80;
        comment = byte == b'#';
        let space = byte.is_ascii_whitespace() || byte == b',' || comment;
        if (word && !in_word) || (!word && !space) {
            tokens += 1;
            if tokens > enough {
                break;
            }
        }
        in_word = word;
    }
    tokens
}

/// Rejects a parsed document that is too deep or has too many aliases or directives.
///
/// The result does not depend on variables, so it is cached with the document.
///
/// # Errors
/// `TOO_DEEP`, `TOO_COSTLY` (of what it reads of the schema), `TOO_MANY_ALIASES`, `TOO_MANY_DIRECTIVES`.
pub fn check_document(document: &ExecutableDocument, limits: &Limits) -> Result<Census, ServerError> {
    let census = census(document);
    let mut depths = HashMap::new();
    for (_, operation) in document.operations.iter() {
        let depth = depth(document, &operation.node.selection_set.node, &mut depths);
        if depth > limits.depth {
            let message = format!("The operation is {depth} levels deep; at most {} are allowed.", limits.depth);
            return Err(request_error("TOO_DEEP", message));
        }
        if census.introspects {
            introspection::check(document, &operation.node)?;
        }
    }
    if census.aliases > limits.aliases {
        let message = format!("The document has {} aliases; at most {} are allowed.", census.aliases, limits.aliases);
        return Err(request_error("TOO_MANY_ALIASES", message));
    }
    if census.directives > limits.directives {
        let message =
            format!("The document has {} directives; at most {} are allowed.", census.directives, limits.directives);
        return Err(request_error("TOO_MANY_DIRECTIVES", message));
    }
    Ok(census)
}

fn census(document: &ExecutableDocument) -> Census {
    let mut census = Census::default();
    for fragment in document.fragments.values() {
        census.directives += fragment.node.directives.len();
        census.count(&fragment.node.selection_set.node);
    }
    for (_, operation) in document.operations.iter() {
        census.directives += operation.node.directives.len();
        census.count(&operation.node.selection_set.node);
    }
    census
}

/// What a document consists of.
#[derive(Default)]
pub struct Census {
    /// The number of fields.
    pub fields: usize,
    aliases: usize,
    directives: usize,
    /// Whether it reads the schema.
    pub introspects: bool,
}

impl Census {
    fn count(&mut self, set: &SelectionSet) {
        for selection in &set.items {
            self.directives += selection.node.directives().len();
            match &selection.node {
                Selection::Field(field) => {
                    self.fields += 1;
                    self.introspects |= introspection::ROOTS.contains(&field.node.name.node.as_str());
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.count(&field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => self.count(&fragment.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}

/// Returns the depth of the fields in `set`.
///
/// `known` memoizes the depth of fragments. A fragment that is still being measured counts as 0, so that cycles
/// terminate here; validation rejects them.
fn depth<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, known: &mut HashMap<&'a Name, usize>) -> usize {
    let mut deepest = 0;
    for selection in &set.items {
        let own = match &selection.node {
            Selection::Field(field) => 1 + depth(document, &field.node.selection_set.node, known),
            Selection::InlineFragment(fragment) => depth(document, &fragment.node.selection_set.node, known),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                match (known.get(name), document.fragments.get(name)) {
                    (Some(depth), _) => *depth,
                    (None, Some(fragment)) => {
                        known.insert(name, 0);
                        let own = depth(document, &fragment.node.selection_set.node, known);
                        known.insert(name, own);
                        own
                    }
                    (None, None) => 0,
                }
            }
        };
        deepest = deepest.max(own);
    }
    deepest
}

/// Computes the cost of `operation` and rejects it above the limit.
///
/// The cost is the maximum number of objects that the operation may return: each object counts as 1, a list as the
/// requested number of items; see `@cost` for exceptions.
///
/// # Errors
/// `TOO_COSTLY`, with `cost`, `limit` and the `list` with the most objects in the extensions.
pub fn check_cost(
    type_map: &TypeMap,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    limits: &Limits,
) -> Result<usize, ServerError> {
    let (ty, set) = (root(operation.ty), &operation.selection_set.node);
    let mut walk = CostWalk { type_map, document, operation, variables, outer: None, fragments: HashMap::new() };
    let cost = walk.set(ty, set, 1);
    if cost <= limits.cost {
        return Ok(cost);
    }
    let heaviest = HeaviestWalk { cost: walk, fragments: HashMap::new() }.set(ty, set, 1);
    let advice = match &heaviest {
        Some(list) => format!(
            "Most are in {}, up to {}: ask for a smaller page (first or last) there or in a list around it.",
            list.path(),
            list.items
        ),
        None => "Select less.".to_owned(),
    };
    let limit = limits.cost;
    let message = format!("The operation asks for up to {cost} objects; at most {limit} are allowed. {advice}");
    let mut error = request_error("TOO_COSTLY", message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("cost", Value::from(cost));
    extensions.set("limit", Value::from(limit));
    if let Some(list) = heaviest {
        extensions.set("list", Value::from(list.path()));
    }
    Err(error)
}

/// A list that others are bounded within, such as `Course.sections`, with its page size.
type Outer<'a> = (&'a str, usize);

struct CostWalk<'a> {
    type_map: &'a TypeMap,
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    /// The innermost list that others are bounded within.
    outer: Option<Outer<'a>>,
    /// The memoized cost of each fragment by name, page size and outer list. Without it, fragments that spread others
    /// twice would double the work at each level.
    fragments: HashMap<(&'a Name, usize, Option<Outer<'a>>), usize>,
}

impl<'a> CostWalk<'a> {
    /// Returns the cost of `set`; `page` is the page size if the parent object is a connection.
    fn set(&mut self, ty: &str, set: &'a SelectionSet, page: usize) -> usize {
        let mut cost = 0_usize;
        for selection in &set.items {
            cost = cost.saturating_add(match &selection.node {
                Selection::Field(field) => self.field(ty, &field.node, page),
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map_or(ty, |on| on.node.on.node.as_str());
                    self.set(on, &fragment.node.selection_set.node, page)
                }
                Selection::FragmentSpread(spread) => {
                    // The spread itself costs 1, so that fragments cannot multiply fields without cost.
                    let name = &spread.node.fragment_name.node;
                    let fragment = self.document.fragments.get(name);
                    fragment.map_or(0, |fragment| self.fragment(name, &fragment.node, page)).saturating_add(1)
                }
            });
        }
        cost
    }

    fn fragment(&mut self, name: &'a Name, fragment: &'a FragmentDefinition, page: usize) -> usize {
        let key = (name, page, self.outer);
        if let Some(cost) = self.fragments.get(&key) {
            return *cost;
        }
        // A cycle counts as 0; validation rejects it.
        self.fragments.insert(key, 0);
        let cost = self.set(&fragment.type_condition.node.on.node, &fragment.selection_set.node, page);
        self.fragments.insert(key, cost);
        cost
    }

    fn field(&mut self, ty: &str, field: &'a Field, page: usize) -> usize {
        let type_map = self.type_map;
        let Some(found) = type_map.field(ty, &field.name.node).filter(|found| found.composite) else { return 0 };
        let inner = if found.connection { self.page(field, found) } else { 1 };
        let outer = self.outer;
        if let Some(list) = type_map.bounding(ty, &field.name.node) {
            self.outer = Some((list, inner));
        }
        let below = self.set(&found.ty, &field.selection_set.node, inner);
        self.outer = outer;
        self.times(field, found, page).saturating_mul(below.saturating_add(found.weight))
    }

    /// Returns the number of objects of the field: the page size, the number of `ids`, or as many as `@cost` says.
    fn times(&self, field: &Field, found: &FieldInfo, page: usize) -> usize {
        match (field.name.node.as_str(), self.argument(field, "ids")) {
            ("nodes" | "edges", None) if !found.connection => page,
            (_, Some(Value::List(ids))) => ids.len(),
            _ => found.bound.as_ref().filter(|bound| bound.within.is_none()).map_or(1, |bound| bound.most),
        }
    }

    /// Returns the page size: the requested one, or this list's share of the items that all of them have together.
    fn page(&self, field: &Field, found: &FieldInfo) -> usize {
        let requested = self.requested(field);
        match (&found.bound, self.outer) {
            (Some(bound), Some((list, lists))) if bound.within.as_deref() == Some(list) && lists > 0 => {
                requested.saturating_mul(lists).min(bound.most).div_ceil(lists)
            }
            _ => requested,
        }
    }

    fn requested(&self, field: &Field) -> usize {
        ["first", "last"]
            .into_iter()
            .find_map(|name| match self.argument(field, name)? {
                Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
                _ => None,
            })
            .unwrap_or(DEFAULT_PAGE.unsigned_abs() as usize)
    }

    /// Returns the value of an argument, with variables and their defaults substituted.
    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let given = field.get_argument(name)?.node.clone();
        given.into_const_with(|variable| self.variable(&variable).ok_or(())).ok()
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        self.variables.get(name).cloned().or_else(|| {
            let mut definitions = self.operation.variable_definitions.iter();
            let own = definitions.find(|definition| definition.node.name.node == *name)?;
            Some(own.node.default_value.as_ref()?.node.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    const SDL: &str = "type Query { courses(first: Int): CourseConnection! nodes(ids: [ID!]!): [Course]! }
        type CourseConnection { nodes: [Course!]! edges: [CourseEdge!]! }
        type CourseEdge { node: Course! } type Course { title: String! related(first: Int): CourseConnection! any: Any }
        union Any = Course";
    const TREE: &str = "type Query { a: A! } type A { bs(first: Int): BConnection! price: Price! } type Price @cost(weight: 0) { c: C }
        type BConnection { nodes: [B!]! } type B { cs(first: Int): CConnection! @cost(most: 500, within: \"A.bs\") price: Price! }
        type CConnection { nodes: [C!]! } type C { id: ID! price: Price! }";

    fn limits() -> Limits {
        crate::config::Config::from_vars(Default::default()).unwrap().limits
    }

    fn cost(query: &str, variables: serde_json::Value) -> Result<usize, String> {
        cost_in(SDL, query, variables)
    }

    fn cost_in(sdl: &str, query: &str, variables: serde_json::Value) -> Result<usize, String> {
        let document = parse_query(query).unwrap();
        let type_map = TypeMap::new(sdl).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let variables = Variables::from_json(variables);
        check_cost(&type_map, &document, &operation.node, &variables, &limits()).map_err(|error| error.message)
    }

    #[test]
    fn a_list_costs_as_much_as_it_may_return() {
        assert_eq!(cost("{ courses { nodes { title } } }", serde_json::json!({})), Ok(1 + 20));
        assert_eq!(cost("{ courses(first: 5) { edges { node { title } } } }", serde_json::json!({})), Ok(1 + 5 * 2));
        let nested = "query ($n: Int = 3) { courses(first: $n) { nodes { related(first: 2) { nodes { title } } } } }";
        assert_eq!(cost(nested, serde_json::json!({})), Ok(1 + 3 * (1 + 1 + 2)));
        assert_eq!(cost(nested, serde_json::json!({"n": 10})), Ok(1 + 10 * (1 + 1 + 2)));
        assert_eq!(cost("{ nodes(ids: [1, 2, 3]) { title } }", serde_json::json!({})), Ok(3));
        let union = "{ nodes(ids: [1]) { any { ... on Course { related(first: 7) { nodes { title } } } } } }";
        assert_eq!(cost(union, serde_json::json!({})), Ok(1 + 1 + 1 + 7));
        let whole = "{ courses(first: 100) { nodes { related(first: 100) { nodes { title } } } } }";
        assert_eq!(cost(whole, serde_json::json!({})), Ok(1 + 100 * (1 + 1 + 100)), "a course with all of its lessons");
        let costly = "{ courses(first: 100) { nodes { related(first: 100) { nodes { related(first: 1) { nodes { title } } } } } } }";
        assert_eq!(
            cost(costly, serde_json::json!({})),
            Err("The operation asks for up to 30201 objects; at most 15000 are allowed. Most are in \
                 courses.nodes.related, up to 10000: ask for a smaller page (first or last) there or in a \
                 list around it."
                .into())
        );
    }

    #[test]
    fn the_list_with_the_most_objects_is_named() {
        for (query, path) in [
            (
                "{ a: courses(first: 100) { edges { node { b: related(first: 200) { nodes { title } } } } } }",
                "a.edges.node.b",
            ),
            ("{ courses(first: 20000) { nodes { related(first: 1) { nodes { title } } } } }", "courses"),
            (
                "{ courses { nodes { title } } c: courses(first: 100) { ...F } } fragment F on CourseConnection {
                nodes { ... on Course { related(first: 300) { nodes { title } } } } }",
                "c.nodes.related",
            ),
        ] {
            let message = cost(query, serde_json::json!({})).unwrap_err();
            assert!(message.contains(&format!("Most are in {path}, up to ")), "{query}: {message}");
        }
    }

    #[test]
    fn lists_within_a_list_have_their_bound_together_and_values_cost_nothing() {
        let cost = |query: &str| cost_in(TREE, query, serde_json::json!({})).unwrap();
        assert_eq!(cost("{ a { price { c { id } } } }"), 2, "only what is below a value counts");
        assert_eq!(
            cost("{ a { bs(first: 10) { nodes { cs(first: 2) { nodes { id price { c { id } } } } } } } }"),
            2 + 10 * (2 + 2 * 2)
        );
        let whole = "{ a { bs(first: 200) { nodes { price { __typename } cs(first: 500) { nodes { id price { __typename } } } } } } }";
        assert_eq!(cost(whole), 2 + 200 * (1 + 1 + 3), "500 in all, rounded up for each list");
        let fragments = "{ a { bs(first: 200) { ...F } } b: a { bs(first: 1) { ...F } } }
            fragment F on BConnection { nodes { cs(first: 500) { nodes { id } } } }";
        assert_eq!(cost(fragments), 2 + 1 + 200 * (1 + 1 + 3) + 2 + 1 + (1 + 1 + 500));
    }

    #[test]
    fn fragments_that_double_at_every_level_are_costly_but_quick_to_judge() {
        let mut query = "{ courses { ...F0 } }".to_owned();
        for level in 0..200 {
            query += &format!(" fragment F{level} on CourseConnection {{ ...F{0} ...F{0} }}", level + 1);
        }
        query += " fragment F200 on CourseConnection { __typename }";
        assert!(cost(&query, serde_json::json!({})).is_err());
        let cycle = "{ courses { ...A } } fragment A on CourseConnection { ...A nodes { title } }";
        assert!(cost(cycle, serde_json::json!({})).is_ok());
        assert!(check_document(&parse_query(cycle).unwrap(), &limits()).is_ok());
    }

    #[test]
    fn documents_are_measured() {
        let deep = format!("{}title{}", "{ a ".repeat(16), "}".repeat(16));
        let check = |query: &str| {
            check_document(&parse_query(query).unwrap(), &limits()).map(drop).map_err(|error| error.message)
        };
        assert_eq!(check(&deep), Err("The operation is 16 levels deep; at most 15 are allowed.".into()));
        let aliases: String = (0..31).map(|n| format!("a{n}: title ")).collect();
        assert!(check(&format!("{{ {aliases} }}")).unwrap_err().contains("31 aliases"));
        let directives = "@include(if: true) ".repeat(31);
        assert!(check(&format!("{{ a {directives} }}")).unwrap_err().contains("31 directives"));
        assert_eq!(count_tokens("{ courses(first: 5) { nodes { title } } } # not counted", 100), 14);
        assert!(check_tokens(&"a ".repeat(5000), &limits()).is_err());
    }
}
