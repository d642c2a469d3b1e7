import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { GeneratedFile } from "@bufbuild/protoplugin";
import { namesOf } from "./names.ts";
import type { ResolvedPolicy } from "./resolved.ts";

/** A service's policy table, its client factory and its stub. */
export function printService(
  f: GeneratedFile,
  service: DescService,
  policies: ReadonlyMap<DescMethod, ResolvedPolicy>,
): void {
  const names = namesOf(service);
  const descriptor = f.importSchema(service);
  const ServicePolicies = f.import("ServicePolicies", "@weft/client", true);
  const Mesh = f.import("Mesh", "@weft/client", true);
  const MeshClient = f.import("MeshClient", "@weft/client", true);
  const ServiceExamples = f.import("ServiceExamples", "@weft/testkit", true);
  const ServiceStub = f.import("ServiceStub", "@weft/testkit", true);

  f.print(f.jsDoc(`What calls of ${service.typeName} may do, as its contract and the mesh's defaults say.`));
  f.print(f.export("const", names.policies), " = {");
  f.print("  service: ", f.string(service.typeName), ",");
  f.print("  methods: {");
  for (const [method, policy] of policies) f.print("    ", method.localName, ": ", literal(policy, "    "), ",");
  f.print("  },");
  f.print("} as const satisfies ", ServicePolicies, ";");
  f.print();
  f.print(f.jsDoc(`A client of ${service.typeName} that finds its instances and keeps its policies by itself.`));
  f.print(f.export("function", names.client), "(mesh: ", Mesh, "): ", MeshClient, "<typeof ", descriptor, "> {");
  f.print("  return mesh.client(", descriptor, ", ", names.policies, ");");
  f.print("}");
  f.print();
  f.print(f.jsDoc(`${service.typeName} as its examples have it, for @weft/testkit to serve in tests of its callers.`));
  f.print(
    f.export("function", names.stub),
    "(examples: ",
    ServiceExamples,
    "<typeof ",
    descriptor,
    ">): ",
    ServiceStub,
    "<typeof ",
    descriptor,
    "> {",
  );
  f.print("  return { service: ", descriptor, ", examples };");
  f.print("}");
  f.print();
}

/** Data as TypeScript: short objects and arrays on one line, `undefined` kept, since the types ask for every field. */
export function literal(value: unknown, indentation: string): string {
  if (value === undefined) return "undefined";
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indentation}  `;
  const isArray = Array.isArray(value);
  const parts = isArray
    ? value.map((element) => literal(element, inner))
    : Object.entries(value).map(([key, element]) => `${key}: ${literal(element, inner)}`);
  const [open, close] = isArray ? ["[", "]"] : ["{ ", " }"];
  const line = `${open}${parts.join(", ")}${close}`;
  if (!line.includes("\n") && line.length + indentation.length <= 110) return line;
  return `${open.trim()}\n${parts.map((part) => `${inner}${part},\n`).join("")}${indentation}${close.trim()}`;
}
