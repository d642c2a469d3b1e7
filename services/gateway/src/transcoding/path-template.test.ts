import fc from "fast-check";
import { expect, test } from "vitest";
import { compareSpecificity, matchTemplate, parseTemplate } from "./path-template.ts";

const captures = (template: string, path: string): Record<string, string> | undefined => {
  const found = matchTemplate(parseTemplate(template), path);
  return found && Object.fromEntries(found);
};

test.each([
  ["/v1/users", "/v1/users", {}],
  ["/v1/users/{user_id}", "/v1/users/7", { user_id: "7" }],
  ["/v1/users/{user.id}", "/v1/users/7", { "user.id": "7" }],
  [
    "/v1/products/{product_id}/reservations/{order_id}",
    "/v1/products/a/reservations/b",
    { product_id: "a", order_id: "b" },
  ],
  ["/v1/orders/{order_id}:cancel", "/v1/orders/7:cancel", { order_id: "7" }],
  ["/v1/users:report", "/v1/users:report", {}],
  ["/v1/{name=shelves/*/books/*}", "/v1/shelves/1/books/2", { name: "shelves/1/books/2" }],
  ["/v1/{name=files/**}", "/v1/files/a/b/c", { name: "files/a/b/c" }],
  ["/v1/files/**", "/v1/files", {}],
  ["/v1/{name=files/**}:move", "/v1/files/a/b:move", { name: "files/a/b" }],
])("%s matches %s", (template, path, expected) => {
  expect(captures(template, path)).toEqual(expected);
});

test.each([
  ["/v1/users/{user_id}", "/v1/users"],
  ["/v1/users/{user_id}", "/v1/users/"],
  ["/v1/users/{user_id}", "/v1/users/7/orders"],
  ["/v1/users/{user_id}", "/V1/users/7"],
  ["/v1/users", "/v1/users/"],
  ["/v1/users", "//v1/users"],
  ["/v1/orders/{order_id}:cancel", "/v1/orders/7"],
  ["/v1/orders/{order_id}:cancel", "/v1/orders/:cancel"],
  ["/v1/{name=shelves/*}", "/v1/racks/1"],
])("%s doesn't match %s", (template, path) => {
  expect(captures(template, path)).toBeUndefined();
});

test("an escaped slash or colon is part of its segment, never a separator", () => {
  expect(captures("/v1/users/{id}", "/v1/users/a%2Fb")).toEqual({ id: "a/b" });
  expect(captures("/v1/orders/{id}:cancel", "/v1/orders/7%3Acancel")).toBeUndefined();
  expect(captures("/v1/{name=files/**}", "/v1/files/a%2Fb/c%20d")).toEqual({ name: "files/a%2Fb/c d" });
});

test("a broken escape is a URIError", () => {
  expect(() => captures("/v1/users/{id}", "/v1/users/%zz")).toThrow(URIError);
});

test.each(["v1/users", "/v1//users", "/v1/{", "/v1/{a}b", "/v1/a*", "/v1/**/a", "/v1/users:", "/v1/{a=}", "/"])(
  "%s is refused, and the message names it",
  (text) => {
    expect(() => parseTemplate(text)).toThrow(`path template "${text}"`);
  },
);

test("any text survives being escaped into one segment", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "binary" }), (text) => {
      fc.pre(text.isWellFormed());
      expect(captures("/v1/things/{id}", `/v1/things/${encodeURIComponent(text)}`)).toEqual({ id: text });
    }),
  );
});

test("a template matches every path that is made of it", () => {
  const literal = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const segment = fc.oneof(
    literal.map((text) => ({ template: text, path: text })),
    fc.tuple(literal, fc.string({ minLength: 1 })).map(([name, value]) => ({
      template: `{${name}}`,
      path: encodeURIComponent(value),
    })),
  );
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), fc.option(literal), (parts, verb) => {
      const end = verb === null ? "" : `:${verb}`;
      const template = parseTemplate(`/${parts.map((part) => part.template).join("/")}${end}`);
      expect(matchTemplate(template, `/${parts.map((part) => part.path).join("/")}${end}`)).toBeDefined();
    }),
  );
});

test("a verb is more specific than a variable, a literal than a star, a star than a rest", () => {
  const texts = ["/v1/**", "/v1/{a}", "/v1/users", "/v1/{a}:report", "/v1/users:report"];
  const sorted = texts.map(parseTemplate).sort(compareSpecificity);
  expect(sorted.map(({ text }) => text)).toEqual([
    "/v1/users:report",
    "/v1/{a}:report",
    "/v1/users",
    "/v1/{a}",
    "/v1/**",
  ]);
});
