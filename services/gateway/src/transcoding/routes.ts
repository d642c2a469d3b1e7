import { type DescField, type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { type HttpRule, http } from "@weft/contracts";
import { fieldNamed, fieldsAlong } from "./field-path.ts";
import { compareSpecificity, matchTemplate, type PathTemplate, parseTemplate } from "./path-template.ts";

/** One way into a method over REST. */
export interface Route {
  readonly httpMethod: string;
  readonly template: PathTemplate;
  readonly method: DescMethod;
  /** The whole request, one field of it, or nothing comes from the body. */
  readonly body: "whole" | DescField | undefined;
}

export type Found =
  | { readonly kind: "found"; readonly route: Route; readonly captures: ReadonlyMap<string, string> }
  /** The path exists, for these methods. */
  | { readonly kind: "other-method"; readonly allow: readonly string[] }
  | { readonly kind: "no-path" };

/** Every route that the contracts declare with google.api.http. Throws an Error that names the method when one can't be. */
export function routesOf(services: readonly DescService[]): readonly Route[] {
  return services.flatMap((service) =>
    service.methods.flatMap((method) => {
      if (!hasOption(method, http)) return [];
      const rule = getOption(method, http);
      return [rule, ...rule.additionalBindings].map((binding) => routeOf(method, binding));
    }),
  );
}

/**
 * The most specific route for a method and a path, which is still percent-encoded. An empty segment or one of dots is
 * nowhere: who stands in front may have resolved it, and judged another path. Throws a URIError on a broken escape.
 */
export function findRoute(routes: readonly Route[], httpMethod: string, path: string): Found {
  if (path.split("/").slice(1).some(leadsElsewhere)) return { kind: "no-path" };
  const matching = routes.flatMap((route) => {
    const captures = matchTemplate(route.template, path);
    return captures === undefined ? [] : [{ route, captures }];
  });
  matching.sort((a, b) => compareSpecificity(a.route.template, b.route.template));
  // A verb's path belongs to the verb alone: `POST /v1/orders/{id}` isn't meant by `POST /v1/orders/7:watch`.
  const verb = matching[0]?.route.template.verb;
  const meant = matching.filter(({ route }) => route.template.verb === verb);
  const best = meant.find(({ route }) => route.httpMethod === httpMethod);
  if (best !== undefined) return { kind: "found", ...best };
  if (meant.length === 0) return { kind: "no-path" };
  return { kind: "other-method", allow: [...new Set(meant.map(({ route }) => route.httpMethod))].sort() };
}

/** "", "." and "..", escaped or not. */
function leadsElsewhere(segment: string): boolean {
  return /^(?:\.|%2e){0,2}$/i.test(segment);
}

function routeOf(method: DescMethod, rule: HttpRule): Route {
  const refuse = (why: string): never => {
    throw new Error(`google.api.http of ${method.parent.typeName}.${method.name}: ${why}`);
  };
  const { case: kind, value } = rule.pattern;
  if (kind === undefined) return refuse("it has no path");
  const [httpMethod, path] = kind === "custom" ? [value.kind, value.path] : [kind.toUpperCase(), value];
  const template = parseTemplate(path);
  for (const { field } of template.variables) {
    const last = fieldsAlong(method.input, field)?.at(-1);
    if (last === undefined) refuse(`{${field}} is no field of ${method.input.typeName}`);
    if (last?.fieldKind === "list" || last?.fieldKind === "map") refuse(`{${field}} is repeated`);
  }
  const body = rule.body === "" ? undefined : rule.body === "*" ? "whole" : fieldNamed(method.input, rule.body);
  if (rule.body !== "" && body === undefined) refuse(`body "${rule.body}" is no field of ${method.input.typeName}`);
  return { httpMethod, template, method, body };
}
