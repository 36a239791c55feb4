/* SPDX-License-Identifier: Apache-2.0 */
/* redis_lua.c - what runs inside Redis, each script whole or not at all.
 *
 * Numbers there are doubles: all units stay below 2^53. ARGV is what the C beside it puts there
 * (store_redis.c, ledger_redis.c, bulletin_redis.c). Time is Redis's own. */
#include "redis.h"

#define NOW                                                                                        \
    "local p = KEYS[1]\n"                                                                          \
    "local t = redis.call('TIME')\n"                                                               \
    "local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)\n"                      \
    "local function whole(x) return string.format('%.0f', x) end\n"

/* A value is a key of its own, with Redis's own end. Beside it: for each space its names by end and
 * by bytes; for each kind its spaces by bytes; the kinds by bytes. */
#define KEPT                                                                                       \
    "local function at(s, n) return p .. ':v:' .. #s .. ':' .. s .. ':' .. n end\n"                \
    "local function count(s, k, by)\n"                                                             \
    "  if tonumber(redis.call('ZINCRBY', p .. ':k:' .. k, by, s)) <= 0 then\n"                     \
    "    redis.call('ZREM', p .. ':k:' .. k, s) end\n"                                             \
    "  if tonumber(redis.call('ZINCRBY', p .. ':kinds', by, k)) <= 0 then\n"                       \
    "    redis.call('ZREM', p .. ':kinds', k) end\n"                                               \
    "end\n"                                                                                        \
    "local function forget(s, k, n)\n"                                                             \
    "  local b = redis.call('HGET', p .. ':b:' .. s, n)\n"                                         \
    "  redis.call('DEL', at(s, n))\n"                                                              \
    "  redis.call('ZREM', p .. ':s:' .. s, n)\n"                                                   \
    "  redis.call('HDEL', p .. ':b:' .. s, n)\n"                                                   \
    "  if b then count(s, k, -tonumber(b)) end\n"                                                  \
    "end\n"                                                                                        \
    "local function forget_first(s, k)\n"                                                          \
    "  local first = redis.call('ZRANGE', p .. ':s:' .. s, 0, 0)\n"                                \
    "  if not first[1] then return false end\n"                                                    \
    "  forget(s, k, first[1])\n"                                                                   \
    "  return true\n"                                                                              \
    "end\n"

static const char put[] = NOW KEPT
    "local s, k, n, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4]\n"
    "local lives, rows = tonumber(ARGV[5]), tonumber(ARGV[6])\n"
    "local most, all = tonumber(ARGV[7]), tonumber(ARGV[8])\n"
    "forget(s, k, n)\n"
    "if lives <= 0 then return 1 end\n"
    "local need = #n + #value\n"
    "for _, old in ipairs(redis.call('ZRANGEBYSCORE', p .. ':s:' .. s, '-inf', now, 'LIMIT', 0, "
    "100)) do forget(s, k, old) end\n"
    "for i = 1, 4096 do\n"
    "  local has = tonumber(redis.call('ZSCORE', p .. ':k:' .. k, s) or 0)\n"
    "  if redis.call('ZCARD', p .. ':s:' .. s) < rows and has + need <= most then break end\n"
    "  if not forget_first(s, k) then break end\n"
    "end\n"
    "local function total()\n"
    "  local sum, kinds = 0, redis.call('ZRANGE', p .. ':kinds', 0, -1, 'WITHSCORES')\n"
    "  for i = 2, #kinds, 2 do sum = sum + tonumber(kinds[i]) end\n"
    "  return sum\n"
    "end\n"
    "local left = total()\n"
    "for i = 1, 4096 do\n"
    "  if left + need <= all then break end\n"
    "  local kind = redis.call('ZREVRANGE', p .. ':kinds', 0, 0)[1]\n"
    "  local space = kind and redis.call('ZREVRANGE', p .. ':k:' .. kind, 0, 0)[1]\n"
    "  if not space then break end\n"
    "  if not forget_first(space, kind) then\n"
    "    count(space, kind, -tonumber(redis.call('ZSCORE', p .. ':k:' .. kind, space)))\n"
    "  end\n"
    "  left = total()\n"
    "end\n"
    "if left + need > all then return 0 end\n"
    "redis.call('SET', at(s, n), value, 'PX', whole(lives))\n"
    "redis.call('ZADD', p .. ':s:' .. s, whole(now + lives), n)\n"
    "redis.call('HSET', p .. ':b:' .. s, n, need)\n"
    "count(s, k, need)\n"
    "return 1\n";

static const char drop[] = NOW KEPT "forget(ARGV[1], ARGV[2], ARGV[3])\n"
                                    "return 1\n";

/* A cell's window is a hash: u, what was used; l<lease>, what an open lease was granted. */
static const char take[] = NOW
    "local function month()\n" /* of the civil calendar; years begin in March here */
    "  local z = math.floor(now / 86400000) + 719468\n"
    "  local era = math.floor(z / 146097)\n"
    "  local doe = z - era * 146097\n"
    "  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524)\n"
    "    - math.floor(doe / 146096)) / 365)\n"
    "  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))\n"
    "  local mp = math.floor((5 * doy + 2) / 153)\n"
    "  local m = mp < 10 and mp + 3 or mp - 9\n"
    "  return (yoe + era * 400 + (m <= 2 and 1 or 0)) * 12 + m - 1\n"
    "end\n"
    "local function slides(previous, len, left)\n" /* window_slides() */
    "  local grain = len > 86400000 and 1000 or 1\n"
    "  len, left = len / grain, math.ceil(left / grain)\n"
    "  local rest = math.fmod(previous, len)\n"
    "  return (previous - rest) / len * left + math.ceil(rest * left / len)\n"
    "end\n"
    "local cells, leases = tonumber(ARGV[1]), tonumber(ARGV[2])\n"
    "local owed_s, lingers = ARGV[3], tonumber(ARGV[4])\n"
    "redis.call('ZREMRANGEBYSCORE', p .. ':cells', '-inf', now)\n"
    "local out = {now}\n"
    "for i = 5, #ARGV, 8 do\n"
    "  local kind, len = ARGV[i + 1], tonumber(ARGV[i + 2])\n"
    "  local limit, want, least = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4]), "
    "tonumber(ARGV[i + 5])\n"
    "  local lease, owed = ARGV[i + 6], ARGV[i + 7] == '1'\n"
    "  local index, left = 0, 31 * 86400000\n"
    "  if kind == '2' then index = month() else\n"
    "    index = math.floor(now / len)\n"
    "    left = (index + 1) * len - now\n"
    "  end\n"
    "  local head = p .. ':c:' .. kind .. ':' .. ARGV[i + 2] .. ':' .. ARGV[i] .. ':'\n"
    "  local key = head .. whole(index)\n"
    "  local used = tonumber(redis.call('HGET', key, 'u') or 0)\n"
    "  local previous = 0\n"
    "  if kind == '1' then previous = tonumber(redis.call('HGET', head .. whole(index - 1), 'u') "
    "or 0) end\n"
    "  local owing = p .. ':o:' .. #key .. ':' .. key .. ':' .. lease\n"
    "  local granted, full = 0, 0\n"
    "  local was = want > 0 and (owed and redis.call('GET', owing) or not owed and "
    "redis.call('HGET', key, 'l' .. lease))\n"
    "  if was then granted = tonumber(was) elseif want > 0 then\n"
    "    local units = want\n"
    "    if not owed then\n"
    "      local free = limit - used\n"
    "      if previous > 0 then free = free - slides(previous, len, left) end\n"
    "      units = math.min(want, free)\n"
    "      if units < math.max(least, 1) then units = 0 end\n"
    "    end\n"
    "    local has = redis.call('HLEN', key)\n"
    "    if has == 0 and redis.call('ZCARD', p .. ':cells') >= cells then\n"
    "      units, full = 0, 1\n"
    "    elseif not owed and has > leases then units = 0 end\n"
    "    if units > 0 then\n"
    "      redis.call('HINCRBY', key, 'u', whole(units))\n"
    "      used = used + units\n"
    "      granted = units\n"
    "      if has == 0 then\n"
    "        local ends = now + left + lingers\n"
    "        if kind == '1' then ends = ends + len end\n"
    "        redis.call('PEXPIREAT', key, whole(ends))\n"
    "        redis.call('ZADD', p .. ':cells', whole(ends), key)\n"
    "      end\n"
    "      if owed then redis.call('SET', owing, whole(units), 'EX', owed_s)\n"
    "      else redis.call('HSET', key, 'l' .. lease, whole(units)) end\n"
    "    end\n"
    "  end\n"
    "  out[#out + 1] = granted\n"
    "  out[#out + 1] = index\n"
    "  out[#out + 1] = used\n"
    "  out[#out + 1] = previous\n"
    "  out[#out + 1] = full\n"
    "end\n"
    "return out\n";

static const char give[] =
    NOW "for i = 2, #ARGV, 7 do\n"
        "  local key = p .. ':c:' .. ARGV[i + 1] .. ':' .. ARGV[i + 2] .. ':' .. ARGV[i] .. ':' .. "
        "ARGV[i + 3]\n"
        "  local units = redis.call('HGET', key, 'l' .. ARGV[i + 4])\n"
        "  if ARGV[i + 6] == '1' then\n"
        "    local given = p .. ':o:' .. #key .. ':' .. key .. ':' .. ARGV[i + 4]\n"
        "    units = redis.call('HGET', key, 'u')\n"
        "    if units and not redis.call('SET', given, '0', 'NX', 'EX', ARGV[1]) then units = nil "
        "end\n"
        "  end\n"
        "  if units then\n"
        "    redis.call('HDEL', key, 'l' .. ARGV[i + 4])\n"
        "    local back = math.min(tonumber(units), tonumber(ARGV[i + 5]))\n"
        "    if back > 0 then redis.call('HINCRBY', key, 'u', '-' .. whole(back)) end\n"
        "  end\n"
        "end\n"
        "return now\n";

/* A holder has a number for each of its lives; slots of an earlier life are nobody's. */
static const char hold[] = NOW
    "local holder, ms, most = ARGV[1], ARGV[2], tonumber(ARGV[3])\n"
    "local life, lost = redis.call('GET', p .. ':h:' .. holder), 0\n"
    "if not life then\n"
    "  life, lost = tostring(redis.call('INCR', p .. ':lives')), 1\n"
    "end\n"
    "redis.call('SET', p .. ':h:' .. holder, life, 'PX', ms)\n"
    "redis.call('ZREMRANGEBYSCORE', p .. ':alive', '-inf', now - ms)\n"
    "redis.call('ZADD', p .. ':alive', whole(now), holder)\n"
    "redis.call('PEXPIRE', p .. ':alive', ms)\n"
    "local out = {lost, redis.call('ZCARD', p .. ':alive')}\n"
    "for i = 4, #ARGV, 3 do\n"
    "  local key, limit, want = p .. ':n:' .. ARGV[i], tonumber(ARGV[i + 1]), "
    "tonumber(ARGV[i + 2])\n"
    "  local has, others, own = redis.call('HGETALL', key), 0, 0\n"
    "  for j = 1, #has, 2 do\n"
    "    local n, of = string.match(has[j + 1], '^(%d+):(.+)$')\n"
    "    if redis.call('GET', p .. ':h:' .. has[j]) ~= of then redis.call('HDEL', key, has[j])\n"
    "    elseif has[j] == holder then own = tonumber(n)\n"
    "    else others = others + tonumber(n) end\n"
    "  end\n"
    "  local held = math.max(math.min(want, limit - others), math.min(own, want))\n"
    "  if own == 0 and #has / 2 >= most then held = 0 end\n"
    "  if held == 0 then redis.call('HDEL', key, holder) else\n"
    "    redis.call('HSET', key, holder, whole(held) .. ':' .. life)\n"
    "    redis.call('PEXPIRE', key, 35 * 86400000)\n"
    "  end\n"
    "  out[#out + 1] = held\n"
    "end\n"
    "return out\n";

/* Places are of the clock as well, so that a server which lost all it had goes on after them. */
static const char append[] =
    NOW "local most = tonumber(ARGV[1])\n"
        "local function forget(m)\n"
        "  redis.call('ZREM', p .. ':w:order', m)\n"
        "  redis.call('ZREM', p .. ':w:until', m)\n"
        "  redis.call('HDEL', p .. ':w:value', m)\n"
        "end\n"
        "for _, m in ipairs(redis.call('ZRANGEBYSCORE', p .. ':w:until', '-inf', now, 'LIMIT', 0, "
        "1000)) do forget(m) end\n"
        "if redis.call('ZCARD', p .. ':w:order') >= most then\n"
        "  for _, m in ipairs(redis.call('ZRANGE', p .. ':w:until', 0, 999)) do forget(m) end\n"
        "end\n"
        "local last = tonumber(redis.call('GET', p .. ':w:last') or 0)\n"
        "local place = math.max(last + 1, tonumber(t[1]) * 1000000 + tonumber(t[2]))\n"
        "for i = 2, #ARGV, 3 do\n"
        "  redis.call('ZADD', p .. ':w:order', whole(place), ARGV[i])\n"
        "  redis.call('ZADD', p .. ':w:until', whole(now + tonumber(ARGV[i + 2])), ARGV[i])\n"
        "  redis.call('HSET', p .. ':w:value', ARGV[i], ARGV[i + 1])\n"
        "  place = place + 1\n"
        "end\n"
        "redis.call('SET', p .. ':w:last', whole(place))\n"
        "return 1\n";

static const char since[] =
    NOW "local out = {}\n"
        "local has = redis.call('ZRANGEBYSCORE', p .. ':w:order', '(' .. ARGV[1], '+inf', "
        "'WITHSCORES', 'LIMIT', 0, ARGV[2])\n"
        "for i = 1, #has, 2 do\n"
        "  local ends = tonumber(redis.call('ZSCORE', p .. ':w:until', has[i]) or 0)\n"
        "  out[#out + 1] = has[i]\n"
        "  out[#out + 1] = whole(tonumber(has[i + 1]))\n"
        "  out[#out + 1] = ends > now and redis.call('HGET', p .. ':w:value', has[i])\n"
        "end\n"
        "return out\n";

const char *const redis_lua[REDIS_SCRIPTS] =
    {[REDIS_PUT] = put,   [REDIS_DROP] = drop,     [REDIS_TAKE] = take,  [REDIS_GIVE] = give,
     [REDIS_HOLD] = hold, [REDIS_APPEND] = append, [REDIS_SINCE] = since};
