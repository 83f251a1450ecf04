-- wrk script: POST /api/v1/check-ins by returning visitors, each with an id of its own.
--
--   cargo bench --bench end_to_end -- fill --dir data
--   DKD_RATE_LIMITS=off diem-kiem-dich --data-dir data
--   CODES=data/codes TOKENS=data/tokens wrk -t2 -c128 -d10 --latency -s benches/check_ins.lua http://127.0.0.1:8080
--
-- CODES and TOKENS are files with one code or one declaration token a line. There is no function
-- `response`: wrk would parse every answer for it.

local threads = 0

local function lines(name)
  local path = assert(os.getenv(name), name .. " names no file")
  local file = assert(io.open(path))
  local found = {}
  for line in file:lines() do
    if line ~= "" then found[#found + 1] = line end
  end
  file:close()
  return found
end

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init()
  codes, tokens = lines("CODES"), lines("TOKENS")
  math.randomseed(os.time() * 64 + number)
  -- The random half of the ids: the thread, one number drawn at the start, one that counts.
  start, count = math.random(0, 0xffffff), 0
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  count = count + 1
  local now = os.time() * 1000
  local id = string.format("%08x-%04x-7%03x-%04x-%06x%06x",
    math.floor(now / 0x10000), now % 0x10000, math.floor(count / 0x1000000),
    0x8000 + number, start, count % 0x1000000)
  local body = '{"id":"' .. id .. '","checkpoint":"' .. codes[math.random(#codes)] ..
    '","declaration_token":"' .. tokens[math.random(#tokens)] .. '"}'
  return wrk.format("POST", "/api/v1/check-ins", nil, body)
end

function done(summary)
  io.write(string.format("neither 2xx nor 3xx: %d\n", summary.errors.status))
end
