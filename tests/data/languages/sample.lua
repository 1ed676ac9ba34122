local json = require("cjson")
local M = {}
LIMIT = 10

-- Opens.
function M.open(path)
  local handle = io.open(path)
  return helper(handle, LIMIT)
end

function M.Index:search(query)
  return self:scan(query)
end

local function helper(x)
  return json.encode(x)
end

M.close = function(handle) handle:close() end
local run = function() return M.open("a") end

M.api = {
  list = function() return run() end,
  size = 3,
}

return M
