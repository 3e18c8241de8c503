-- Sends the requests of a spool file, in turn or each once, and prints one JSON line about the answers.
-- Arguments: FILE, "cycle" or "once", and the text that every good answer holds (empty: any answer will do).
-- A spool holds, for each request, its length in bytes on a line of its own, then the request.

local requests, reserved, given = {}, 0, 0
local threads = {}
good, wrong = 0, 0

local function read_spool(path)
  local file = assert(io.open(path, "rb"))
  for length in function() return file:read("*n", "*l") end do
    requests[#requests + 1] = file:read(length)
  end
  file:close()
end

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  read_spool(args[1])
  local expected = args[3] or ""
  if args[2] == "once" then
    -- A connection asks for its delay before each request: who comes too late waits until the time is over.
    delay = function()
      reserved = reserved + 1
      return reserved > #requests and 3600000 or 0
    end
  end
  if expected ~= "" then
    response = function(_, _, body)
      if string.find(body, expected, 1, true) then good = good + 1 else wrong = wrong + 1 end
    end
  end
end

function request()
  given = given + 1
  return requests[(given - 1) % #requests + 1]
end

function done(summary, latency)
  local right, bad = 0, 0
  for _, thread in ipairs(threads) do
    right, bad = right + thread:get("good"), bad + thread:get("wrong")
  end
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "good": %d, "wrong": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    right, bad, e.status, e.connect + e.read + e.write + e.timeout))
end
