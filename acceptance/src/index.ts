export { type OrderJson, type ProductJson, type Shop, shopOf } from "./shop.ts";
export { until } from "./until.ts";
