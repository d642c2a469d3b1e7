import { createScript } from "./script.ts";

// All times are Redis's own, so that the clocks of instances don't matter. Numbers become text by %.0f, since Lua's default keeps 14 digits.
const prelude = `
local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]
local ms = math.floor(us / 1000)
local function text(number) return string.format('%.0f', number) end
`;

/** How many instances that changed last the log names; who knows an older version reads the whole list. */
const logged = 1_000;
/** The log is kept for so long after the last change, leases and instances for half as long at least after the last beat. */
const keptMs = 3_600_000;
/** The same of the version: who comes back after weeks sees that Redis has lost nothing. */
const versionKeptMs = 30 * 24 * 3_600_000;

/** Changes that a hint tells, and bytes beyond which it tells none: hints are sent to every watcher. */
const hinted = 8;
const hintBytes = 8_192;

// An instance's field in the hash is its entry, "<id> <load> <record>", where a record is "<epoch> <state> <facts>" and changes with the version.
// The version is "<born>.<count>": born is when the key was made, which tells watchers that Redis had lost it in between. The log has
// the count at which each instance changed last: "+id" came, changed or expired, "-id" was released. Its lowest count is the oldest from
// which it tells everything: "!" has that until enough has changed to push it out. A hint is the version, and a line for each change that made it,
// unless they are many: "+id <load> <record>", "+id" for one that expired, "-id".
const writing = `${prelude}
local leases, instances, version, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local born, count
local touched = {}
local function change(id, was, is)
  if not count then
    born, count = string.match(redis.call('GET', version) or '', '^(%d+)%.(%d+)$')
    if not born then redis.call('DEL', log) end
    if redis.call('EXISTS', log) == 0 then redis.call('ZADD', log, count or 0, '!') end
    born, count = born or text(us), text((count or 0) + 1)
  end
  redis.call('ZREM', log, was .. id)
  redis.call('ZADD', log, count, is .. id)
  touched[#touched + 1] = is .. id
end
local function publish(channel)
  if not count then return end
  redis.call('ZREMRANGEBYRANK', log, 0, -${logged + 1})
  redis.call('PEXPIRE', log, ${keptMs})
  redis.call('SET', version, born .. '.' .. count, 'KEEPTTL')
  local hint = born .. '.' .. count
  if #touched <= ${hinted} then
    for _, member in ipairs(touched) do
      local found = redis.call('HGET', instances, string.sub(member, 2))
      hint = hint .. '\\n' .. (found and '+' .. found or member)
    end
  end
  if #hint > ${hintBytes} then hint = born .. '.' .. count end
  redis.call('PUBLISH', channel, hint)
end
local function heldBy(id)
  return string.match(redis.call('HGET', instances, id) or '', '^%S+ %S+ %S+ (.*)$')
end
local function remove(id)
  redis.call('ZREM', leases, id)
  redis.call('HDEL', instances, id)
end
local function sweep(except)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', text(ms), 'LIMIT', 0, 1000)) do
    if id ~= except then
      remove(id)
      change(id, '-', '+')
    end
  end
end
`;

/**
 * Registers (epoch empty) or renews a lease, writes what the instance says of itself where that is missing or different, and sweeps
 * expired instances. Returns {"held", epoch}; {"lost", newer epoch} when the id was registered again; {"full"} when the instance
 * is not there and the service has as many as it may have. ARGV: id, epoch, state, facts, load, ttl ms, channel, most instances.
 */
export const beatScript = createScript(
  `${writing}
local id, epoch, state, facts, load, ttl, channel, most = unpack(ARGV)
sweep(id)
local held = heldBy(id)
local holder = held and string.match(held, '^(%d+) ')
if epoch == '' then
  epoch = text(math.max(us, (tonumber(holder) or 0) + 1))
elseif holder and tonumber(holder) > tonumber(epoch) then
  publish(channel)
  return {'lost', holder}
end
if not held and redis.call('ZCARD', leases) >= tonumber(most) then
  publish(channel)
  return {'full'}
end
local record = epoch .. ' ' .. state .. ' ' .. facts
if held ~= record then change(id, '-', '+') end
redis.call('HSET', instances, id, id .. ' ' .. load .. ' ' .. record)
redis.call('ZADD', leases, text(ms + ttl), id)
publish(channel)
if redis.call('PTTL', leases) < ${keptMs / 2} then
  redis.call('PEXPIRE', leases, ${keptMs})
  redis.call('PEXPIRE', instances, ${keptMs})
  redis.call('PEXPIRE', version, ${versionKeptMs})
end
return {'held', epoch}
`,
  { readOnly: false },
);

/** Removes the instance, if it is still the one of that epoch. Returns how many are left. ARGV: id, epoch, channel. */
export const releaseScript = createScript(
  `${writing}
local id, epoch, channel = unpack(ARGV)
sweep(id)
local held = heldBy(id)
if held and string.match(held, '^(%d+) ') == epoch then
  remove(id)
  change(id, '+', '-')
end
publish(channel)
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
 * Reads what changed since the version that the reader knows, or everything when that can't be told. Lateness moves no version, so
 * it is told apart, and by a mark. Returns {version, mark} when the reader knows all, else
 * {version, mark, "all" or "changes", expired ids, late ids, released ids, entries, ids with a lease}. Ids are joined by spaces, entries by
 * lines; an id alone is one that is gone. Those of "all" are the hash as it is, with the ids that have a lease ("*": all of them): to
 * sort it here would keep Redis from everybody else for longer. ARGV: heartbeat ms, the version and the mark that are known.
 */
export const readScript = createScript(
  `${prelude}
local leases, instances, log = KEYS[1], KEYS[2], KEYS[4]
local current, known = redis.call('GET', KEYS[3]) or '', ARGV[2]
local expired = redis.call('ZRANGEBYSCORE', leases, '-inf', text(ms))
local late = redis.call('ZRANGEBYSCORE', leases, '(' .. text(ms), text(ms + ARGV[1]))
local gone, slow, mark = table.concat(expired, ' '), table.concat(late, ' '), ''
if #expired + #late > 0 then mark = redis.sha1hex(gone .. '|' .. slow) end
if current == known and mark == ARGV[3] then return {current, mark} end

local born, count = string.match(current, '^(%d+)%.(%d+)$')
local knownBorn, knownCount = string.match(known, '^(%d+)%.(%d+)$')
count, knownCount = tonumber(count), tonumber(knownCount)
local follows = born and born == knownBorn and knownCount <= count
local oldest = tonumber(redis.call('ZRANGE', log, 0, 0, 'WITHSCORES')[2])
local complete = follows and (knownCount == count or (oldest and knownCount >= oldest))
local moved = follows and redis.call('ZRANGEBYSCORE', log, '(' .. knownCount, '+inf') or {}
local released, changed, entries, held = {}, {}, {}, '*'
for _, member in ipairs(moved) do
  local id, sign = string.sub(member, 2), string.sub(member, 1, 1)
  if id ~= '' then changed[#changed + 1] = id end
  if sign == '-' then released[#released + 1] = id end
end
if complete then
  for i, id in ipairs(changed) do
    entries[i] = redis.call('HGET', instances, id) or id
  end
else
  if redis.call('ZCARD', leases) ~= redis.call('HLEN', instances) then
    held = table.concat(redis.call('ZRANGE', leases, 0, -1), ' ')
  end
  entries = redis.call('HVALS', instances)
end
return {current, mark, complete and 'changes' or 'all', gone, slow, table.concat(released, ' '), table.concat(entries, '\\n'), held}
`,
  { readOnly: true },
);
