// Composes Lyceum as one subgraph of Apollo Federation 2 with another one that adds a field to courses.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

const sdl = readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8");

// The supergraph keeps only those directives of a subgraph that are linked and named by @composeDirective.
const lyceum = `
  extend schema
    @link(url: "https://specs.apollo.dev/link/v1.0")
    @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@composeDirective", "@key", "@shareable"])
    @link(url: "https://lyceum.example/auth/v1.0", import: ["@auth", "@public"])
    @composeDirective(name: "@auth")
    @composeDirective(name: "@public")
  extend type Course @key(fields: "id")
  ${sdl}`;

const tiny = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
  type Query {
    _tiny: String
  }
  type Course @key(fields: "id") {
    id: ID!
    tiny: String
  }`;

const { supergraphSdl, errors } = composeServices([
  { name: "lyceum", url: "http://lyceum.example/graphql", typeDefs: parse(lyceum) },
  { name: "tiny", url: "http://tiny.example/graphql", typeDefs: parse(tiny) },
]);
if (!supergraphSdl) {
  for (const error of errors) console.error(error.message);
  process.exit(1);
}

const supergraph = parse(supergraphSdl);
const type = (name) => supergraph.definitions.find((definition) => definition.name?.value === name);
const field = (of, name) => type(of).fields.find((field) => field.name.value === name);
const directives = (node) => node.directives.map((directive) => directive.name.value);

assert.ok(field("Course", "tiny"), "Course.tiny is not in the supergraph");
assert.ok(directives(field("Mutation", "createCourse")).includes("auth"), "@auth is not in the supergraph");
assert.ok(directives(field("Query", "course")).includes("public"), "@public is not in the supergraph");
