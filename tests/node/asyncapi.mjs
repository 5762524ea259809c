// Reads an AsyncAPI document with the official parser and prints each error and warning as a line of JSON.

import { readFile } from "node:fs/promises";

import { Parser } from "@asyncapi/parser";

const [path] = process.argv.slice(2);
const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf8"));
for (const { severity, code, path: place, message } of diagnostics) {
  console.log(JSON.stringify({ severity, code, place: place.join("/"), message }));
}
process.exit(document ? 0 : 1);
