import type { Route } from "./routes.ts";

/** A field's path as the caller of a route knows it: where the body is one field, its own fields stand at the top. */
export function restSpelling(route: Route, path: string): string {
  if (route.body === undefined || route.body === "whole") return path;
  const prefix = `${route.body.jsonName}.`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}
