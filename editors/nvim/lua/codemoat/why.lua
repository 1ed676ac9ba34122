--- Why there was a suggestion in this buffer, or none.
local lsp = require("codemoat.lsp")
local M = {}

---@param found table result of codemoat/why
---@return string[]
function M.lines(found)
  local lines = { ("%s: %s"):format(found.outcome, found.reason) }
  local function add(...)
    lines[#lines + 1] = string.format(...)
  end
  add("")
  add("Asked   %s, line %d", found.trigger, found.line + 1)
  if found.outcome == "suggested" then
    add("From    %s", found.reused and "what was generated before" or "the model")
  end
  if #found.context > 0 then
    add("With    %s", table.concat(found.context, ", "))
  end
  local names = vim.tbl_keys(found.timings)
  table.sort(names)
  local shown = {}
  for _, name in ipairs(names) do
    local value = found.timings[name]
    if value ~= 0 then
      local text = value % 1 == 0 and ("%d"):format(value) or ("%.3f"):format(value)
      shown[#shown + 1] = ("%s %s"):format(name:gsub("_", " "), text)
    end
  end
  if #shown > 0 then
    add("Took    %s", table.concat(shown, ", "))
  end
  if found.fate ~= "" then
    add("Then    %s", found.fate)
  end
  if found.text ~= "" then
    add("")
    vim.list_extend(lines, vim.split(found.text, "\n", { plain = true }))
  end
  return lines
end

function M.show()
  local buf = vim.api.nvim_get_current_buf()
  local params = { textDocument = { uri = vim.uri_from_bufnr(0) } }
  lsp.ask("codemoat/why", params, function(found)
    if found then
      require("codemoat.window").float("Why", M.lines(found))
    else
      local why_not = not lsp.client(buf) and require("codemoat.buffers").why_not(buf)
      lsp.tell(why_not and "no suggestions here: " .. why_not or "nothing was asked for in this buffer yet")
    end
  end)
end

return M
