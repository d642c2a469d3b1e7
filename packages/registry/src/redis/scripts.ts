import { createScript } from "./script.ts";

// All times are Redis's own, so that the clocks of instances don't matter. Numbers become text by %.0f, since Lua's default keeps 14 digits.
const prelude = `
local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]
local ms = math.floor(us / 1000)
local function text(number) return string.format('%.0f', number) end
`;

// The version is "<born>.<count>": born is when the key was made, which tells watchers that Redis had lost it in between.
const writing = `${prelude}
local leases, instances, version = KEYS[1], KEYS[2], KEYS[3]
local function remove(id)
  redis.call('ZREM', leases, id)
  redis.call('HDEL', instances, 'i:' .. id, 'l:' .. id)
end
local function changed(channel)
  local born, count = string.match(redis.call('GET', version) or '', '^(%d+)%.(%d+)$')
  local value = (born or text(us)) .. '.' .. text((count or 0) + 1)
  redis.call('SET', version, value)
  redis.call('PUBLISH', channel, value)
end
local function sweep(except)
  local swept = false
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', text(ms), 'LIMIT', 0, 1000)) do
    if id ~= except then
      remove(id)
      swept = true
    end
  end
  return swept
end
`;

/**
 * Registers (epoch empty) or renews a lease, writes what the instance says of itself where that is missing or different, and sweeps
 * expired instances. Returns {"held", epoch}, or {"lost", newer epoch} when the id was registered again.
 * ARGV: id, epoch, state, facts, load, ttl ms, channel.
 */
export const beatScript = createScript(
  `${writing}
local id, epoch, state, facts, load, ttl, channel = unpack(ARGV)
local dirty = sweep(id)
local held = redis.call('HGET', instances, 'i:' .. id)
local holder = held and string.match(held, '^(%d+) ')
if epoch == '' then
  epoch = text(math.max(us, (tonumber(holder) or 0) + 1))
elseif holder and tonumber(holder) > tonumber(epoch) then
  if dirty then changed(channel) end
  return {'lost', holder}
end
local record = epoch .. ' ' .. state .. ' ' .. facts
if held ~= record then
  redis.call('HSET', instances, 'i:' .. id, record)
  dirty = true
end
redis.call('HSET', instances, 'l:' .. id, load)
redis.call('ZADD', leases, text(ms + ttl), id)
if dirty then changed(channel) end
return {'held', epoch}
`,
  { readOnly: false },
);

/** Removes the instance, if it is still the one of that epoch. Returns how many are left. ARGV: id, epoch, channel. */
export const releaseScript = createScript(
  `${writing}
local id, epoch, channel = unpack(ARGV)
local dirty = sweep(id)
local held = redis.call('HGET', instances, 'i:' .. id)
if held and string.match(held, '^(%d+) ') == epoch then
  remove(id)
  dirty = true
end
if dirty then changed(channel) end
return redis.call('ZCARD', leases)
`,
  { readOnly: false },
);

/** Renews services in the index and sweeps those that nobody renews. ARGV: ttl ms, services. */
export const indexScript = createScript(
  `${prelude}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], text(ms + ARGV[1]), ARGV[i]) end
return redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(ms))
`,
  { readOnly: false },
);

/** Names of the services that were renewed in time. */
export const servicesScript = createScript(
  `${prelude}
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(ms), '+inf')
`,
  { readOnly: true },
);

/**
 * Reads a service, unless it looks as it did before: the mark holds the version, and who is overdue, since lateness moves no
 * version. Returns {mark} or {mark, version, now ms, [id, expiry…], [field, value…]}. ARGV: heartbeat ms, the mark that is known.
 */
export const readScript = createScript(
  `${prelude}
local leases, instances, version = KEYS[1], KEYS[2], redis.call('GET', KEYS[3]) or ''
local expired = redis.call('ZRANGEBYSCORE', leases, '-inf', text(ms))
local late = redis.call('ZRANGEBYSCORE', leases, '(' .. text(ms), text(ms + ARGV[1]))
local mark = version .. '|' .. table.concat(expired, ',') .. '|' .. table.concat(late, ',')
if mark == ARGV[2] then return {mark} end
return {mark, version, text(ms), redis.call('ZRANGE', leases, 0, -1, 'WITHSCORES'), redis.call('HGETALL', instances)}
`,
  { readOnly: true },
);
