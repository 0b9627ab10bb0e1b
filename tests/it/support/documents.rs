//! Random valid GraphQL documents for any schema, drawn from a tape of numbers so that proptest can shrink them.
//!
//! The schemas that this is for must keep one rule: a field's name means the same form in all types, because the same
//! key may be selected under different type conditions (GraphQL specification, section 5.3.2).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What a document may contain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taste {
    /// `@skip` and `@include`.
    pub(crate) directives: bool,
    /// How every field's selection begins.
    pub(crate) anchor: Anchor,
    /// Let fields that have selections of their own share a response key.
    pub(crate) merging: bool,
}

/// Without a directive and outside fragments, so that something is always selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// With anything.
    None,
    /// With `__typename`, which never fails.
    Typename,
    /// With `__typename`, but only the query's and those of interfaces and unions.
    Abstract,
}

/// A document with the variables it needs.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) variables: Value,
}

/// Numbers from which a document is drawn.
pub(crate) fn tape() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::vec(any::<u16>(), 0..400)
}

/// The types that documents for a schema are made of.
pub(crate) struct Grammar {
    fields: BTreeMap<String, Vec<FieldDefinition>>,
    enums: BTreeMap<String, Vec<String>>,
    /// The object types that a composite type stands for.
    possible: BTreeMap<String, BTreeSet<String>>,
}

impl Grammar {
    pub(crate) fn new(sdl: &str) -> Grammar {
        let mut grammar = Grammar { fields: BTreeMap::new(), enums: BTreeMap::new(), possible: BTreeMap::new() };
        for definition in parse_schema(sdl).unwrap().definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            let fields = match definition.node.kind {
                TypeKind::Object(object) => {
                    let own = object.implements.iter().map(|interface| interface.node.to_string());
                    for ty in own.chain([name.clone()]) {
                        grammar.possible.entry(ty).or_default().insert(name.clone());
                    }
                    object.fields
                }
                TypeKind::Interface(interface) => interface.fields,
                TypeKind::Union(union) => {
                    let members = union.members.iter().map(|member| member.node.to_string());
                    grammar.possible.insert(name.clone(), members.collect());
                    Vec::new()
                }
                TypeKind::Enum(values) => {
                    let values = values.values.iter().map(|value| value.node.value.node.to_string());
                    grammar.enums.insert(name, values.collect());
                    continue;
                }
                _ => continue,
            };
            grammar.fields.insert(name, fields.into_iter().map(|field| field.node).collect());
        }
        grammar
    }

    /// A query drawn from `tape`, at most `depth` levels of fields and fragments deep.
    pub(crate) fn document(&self, tape: &[u16], depth: usize, taste: Taste) -> Document {
        let mut draft = Draft {
            grammar: self,
            tape: tape.iter(),
            taste,
            fragments: Vec::new(),
            variables: BTreeSet::new(),
            nested: BTreeMap::new(),
            serial: 0,
        };
        let body = draft.set("Query", depth).text;
        let mut text = String::new();
        let mut values = json!({});
        let declared: Vec<&str> = draft.variables.iter().copied().collect();
        for (name, ty, value) in [
            ("yes", "Boolean!", json!(true)),
            ("no", "Boolean! = true", json!(false)),
            ("default", "Boolean! = true", Value::Null),
            ("n", "Int!", json!(3)),
            ("m", "Int! = 2", Value::Null),
        ] {
            if declared.contains(&name) {
                write!(text, "{}${name}: {ty}", if text.is_empty() { "" } else { ", " }).unwrap();
                if !value.is_null() {
                    values[name] = value;
                }
            }
        }
        let mut text = if text.is_empty() { body } else { format!("query ({text}) {body}") };
        for fragment in &draft.fragments {
            write!(text, "\nfragment {} on {} {}", fragment.name, fragment.ty, fragment.set.text).unwrap();
        }
        Document { text, variables: values }
    }
}

struct Set {
    text: String,
    /// Levels of fields and fragments; async-graphql refuses more than 32.
    height: usize,
}

struct Fragment {
    name: String,
    ty: String,
    set: Set,
}

struct Draft<'a> {
    grammar: &'a Grammar,
    tape: std::slice::Iter<'a, u16>,
    taste: Taste,
    /// Finished ones, so that no cycle can be made.
    fragments: Vec<Fragment>,
    variables: BTreeSet<&'static str>,
    /// The fields of each type that were given selections, to be selected again.
    nested: BTreeMap<String, Vec<(String, String)>>,
    serial: usize,
}

impl<'a> Draft<'a> {
    /// One of `count` choices; the first when the tape has run out.
    fn pick(&mut self, count: usize) -> usize {
        self.tape.next().map_or(0, |number| usize::from(*number) % count)
    }

    /// The selection of a field of type `ty`.
    fn set(&mut self, ty: &str, depth: usize) -> Set {
        let mut set = Set { text: "{".into(), height: 1 };
        match self.taste.anchor {
            Anchor::None => {}
            Anchor::Abstract if ty != "Query" && self.grammar.possible[ty].len() == 1 => {}
            Anchor::Typename | Anchor::Abstract => set.text += " __typename",
        }
        self.fill(&mut set, ty, depth);
        set.text += " }";
        set
    }

    fn fill(&mut self, set: &mut Set, ty: &str, depth: usize) {
        for _ in 0..=self.pick(5) {
            // What stands for several types is mostly selected by type.
            let fields = if self.grammar.possible[ty].len() > 1 { 3 } else { 6 };
            let (text, height) = match self.pick(9) {
                choice if choice < fields || depth <= 1 => self.field(ty, depth),
                6 => self.spread(ty, depth),
                _ => self.inline_fragment(ty, depth),
            };
            write!(set.text, " {text}").unwrap();
            set.height = set.height.max(height);
        }
    }

    fn leaf(&mut self, ty: &str) -> String {
        let grammar = self.grammar;
        let leaves = grammar.fields[ty].iter().filter(|field| !grammar.fields.contains_key(named(&field.ty.node)));
        let leaves: Vec<&FieldDefinition> = leaves.collect();
        let choice = self.pick(leaves.len() + 1);
        match choice.checked_sub(1) {
            Some(place) => self.named_field(leaves[place]),
            None => ["__typename", "a_typename: __typename"][self.pick(2)].into(),
        }
    }

    fn field(&mut self, ty: &str, depth: usize) -> (String, usize) {
        let grammar = self.grammar;
        let nested = grammar.fields[ty].iter().filter(|field| grammar.fields.contains_key(named(&field.ty.node)));
        let nested: Vec<&FieldDefinition> = nested.collect();
        if depth <= 1 || nested.is_empty() || self.pick(5) < 2 {
            let leaf = self.leaf(ty);
            // async-graphql does not see a variable that only a directive of `__typename` uses.
            let directives = if leaf.ends_with("__typename") { String::new() } else { self.directives() };
            return (leaf + &directives, 1);
        }
        let again = self.taste.merging && self.pick(3) == 2;
        let (head, inner) = match self.nested.get(ty) {
            Some(before) if again => before[self.tape.len() % before.len()].clone(),
            _ => {
                let field = nested[self.pick(nested.len())];
                let made = (self.named_field(field), named(&field.ty.node).to_owned());
                if self.merges(field) {
                    self.nested.entry(ty.to_owned()).or_default().push(made.clone());
                }
                made
            }
        };
        let directives = self.directives();
        let set = self.set(&inner, depth - 1);
        (format!("{head}{directives} {}", set.text), set.height + 1)
    }

    /// The field with arguments, under a response key that stands for the field and the arguments, so that any two
    /// fields with one key can be merged.
    fn named_field(&mut self, field: &FieldDefinition) -> String {
        let name = &field.name.node;
        let mut key = ["", "", "a_", "b_"][self.pick(4)].to_owned() + name;
        let mut arguments = Vec::new();
        for argument in &field.arguments {
            let argument = &argument.node;
            let required = !argument.ty.node.nullable && argument.default_value.is_none();
            if required || self.pick(2) == 1 {
                let value = self.value(&argument.ty.node);
                write!(key, "_{}_{}", argument.name.node, value.replace('$', "v")).unwrap();
                arguments.push(format!("{}: {value}", argument.name.node));
            }
        }
        if !self.merges(field) && self.grammar.fields.contains_key(named(&field.ty.node)) {
            self.serial += 1;
            key = format!("{key}_{}", self.serial);
        }
        let alias = if key == name.as_str() { String::new() } else { format!("{key}: ") };
        let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        format!("{alias}{name}{arguments}")
    }

    /// Whether the field may be selected twice with different selections. async-graphql does not merge lists in lists:
    /// it keeps what comes first.
    fn merges(&self, field: &FieldDefinition) -> bool {
        let list_of_lists =
            matches!(&field.ty.node.base, BaseType::List(item) if matches!(item.base, BaseType::List(_)));
        self.taste.merging && !list_of_lists
    }

    fn value(&mut self, ty: &Type) -> String {
        match named(ty) {
            "Int" => match self.pick(10) {
                8 => self.variable("n"),
                9 => self.variable("m"),
                number => number.to_string(),
            },
            "Boolean" => self.flag(),
            other => {
                let values = &self.grammar.enums[other];
                values[self.pick(values.len())].clone()
            }
        }
    }

    fn variable(&mut self, name: &'static str) -> String {
        self.variables.insert(name);
        format!("${name}")
    }

    fn flag(&mut self) -> String {
        match self.pick(5) {
            0 => "true".into(),
            1 => "false".into(),
            2 => self.variable("yes"),
            3 => self.variable("no"),
            _ => self.variable("default"),
        }
    }

    fn directives(&mut self) -> String {
        if !self.taste.directives {
            return String::new();
        }
        match self.pick(20) {
            17 => format!(" @skip(if: {})", self.flag()),
            18 => format!(" @include(if: {})", self.flag()),
            19 => format!(" @skip(if: {}) @include(if: {})", self.flag(), self.flag()),
            _ => String::new(),
        }
    }

    /// A type that a value of type `ty` may have.
    fn condition(&mut self, ty: &str) -> String {
        if self.pick(3) == 0 {
            return ty.to_owned();
        }
        let possible = &self.grammar.possible;
        let fitting = possible.iter().filter(|(_, objects)| !objects.is_disjoint(&possible[ty]));
        let fitting: Vec<&String> = fitting.map(|(name, _)| name).collect();
        fitting[self.pick(fitting.len())].clone()
    }

    fn inline_fragment(&mut self, ty: &str, depth: usize) -> (String, usize) {
        let (on, ty) = if self.pick(3) == 0 {
            (String::new(), ty.to_owned())
        } else {
            let ty = self.condition(ty);
            (format!(" on {ty}"), ty)
        };
        let directives = self.directives();
        let mut set = Set { text: String::new(), height: 1 };
        self.fill(&mut set, &ty, depth - 1);
        (format!("...{on}{directives} {{{} }}", set.text), set.height + 1)
    }

    fn spread(&mut self, ty: &str, depth: usize) -> (String, usize) {
        let possible = &self.grammar.possible;
        let fits =
            |fragment: &&Fragment| fragment.set.height < depth && !possible[&fragment.ty].is_disjoint(&possible[ty]);
        let known: Vec<(String, usize)> =
            self.fragments.iter().filter(fits).map(|known| (known.name.clone(), known.set.height)).collect();
        let (name, height) = if !known.is_empty() && self.pick(2) == 0 {
            known[self.pick(known.len())].clone()
        } else {
            let ty = self.condition(ty);
            let mut set = Set { text: "{".into(), height: 1 };
            self.fill(&mut set, &ty, depth - 1);
            set.text += " }";
            let (name, height) = (format!("F{}", self.fragments.len()), set.height);
            self.fragments.push(Fragment { name: name.clone(), ty, set });
            (name, height)
        };
        (format!("...{name}{}", self.directives()), height + 1)
    }
}

/// The type without lists and exclamation marks.
pub(crate) fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named(item),
    }
}
