--- `:Codemoat search`: what was found goes to the quickfix list, and to the picker that is there.
local config = require("codemoat.config")
local lsp = require("codemoat.lsp")
local M = {}

local LIMIT = 30

---@param hit table of codemoat/search
---@return string the line that matched, without the space around it
local function matching(hit)
  local lines = vim.split(hit.text, "\n", { plain = true })
  return vim.trim(lines[hit.matchLine - hit.range.start.line + 1] or "")
end

---@param hit table of codemoat/search
---@return table entry for the quickfix list
local function entry(hit)
  local line = matching(hit)
  return {
    filename = vim.uri_to_fname(hit.uri),
    lnum = hit.matchLine + 1,
    col = 1,
    text = hit.symbol and hit.symbol ~= vim.NIL and ("%s: %s"):format(hit.symbol, line) or line,
  }
end

local function label(hit)
  local symbol = hit.symbol ~= vim.NIL and hit.symbol or nil
  return ("%s:%d  %s"):format(hit.label or hit.path, hit.matchLine + 1, symbol or matching(hit))
end

local function jump(hit)
  local start = { line = hit.matchLine, character = 0 }
  require("codemoat.window").open(hit.uri, { start = start, ["end"] = start })
end

---@type table<string, fun(query: string, hits: table[])>
local pickers = {}

function pickers.quickfix()
  vim.cmd("botright copen")
end

function pickers.select(query, hits)
  vim.ui.select(hits, { prompt = "codemoat: " .. query, format_item = label, kind = "codemoat" }, function(hit)
    if hit then
      jump(hit)
    end
  end)
end

function pickers.telescope(query, hits)
  local values = require("telescope.config").values
  require("telescope.pickers")
    .new({}, {
      prompt_title = "codemoat: " .. query,
      finder = require("telescope.finders").new_table({
        results = hits,
        entry_maker = function(hit)
          local made = entry(hit)
          return { value = hit, display = label(hit), ordinal = label(hit), filename = made.filename, lnum = made.lnum }
        end,
      }),
      previewer = values.grep_previewer({}),
      sorter = values.generic_sorter({}),
    })
    :find()
end

pickers["fzf-lua"] = function(query, hits)
  local lines = vim.tbl_map(function(hit)
    local made = entry(hit)
    return ("%s:%d:1:%s"):format(vim.fn.fnamemodify(made.filename, ":."), made.lnum, made.text)
  end, hits)
  require("fzf-lua").fzf_exec(lines, {
    prompt = query .. "> ",
    previewer = "builtin",
    actions = { ["default"] = require("fzf-lua.actions").file_edit },
  })
end

--- The picker that was asked for, or the first that is installed.
local function picker()
  local named = config.options.picker
  if named ~= "auto" then
    return pickers[named] or pickers.quickfix
  end
  for _, name in ipairs({ "telescope", "fzf-lua" }) do
    if pcall(require, name) then
      return pickers[name]
    end
  end
  return pickers.quickfix
end

---@param query string asked for where it is empty
function M.run(query)
  if query == "" then
    require("codemoat.input").ask("Search for: ", M.run)
    return
  end
  lsp.ask("codemoat/search", { query = query, limit = LIMIT }, function(found)
    if #found.hits == 0 then
      local stale = found.stale and "; the index is not up to date" or ""
      lsp.tell("nothing found" .. stale .. (found.problem ~= "" and ". " .. found.problem or ""))
      return
    end
    vim.fn.setqflist({}, " ", { title = "codemoat: " .. query, items = vim.tbl_map(entry, found.hits) })
    picker()(query, found.hits)
    if found.problem ~= "" then
      lsp.tell(found.problem, vim.log.levels.WARN)
    end
  end)
end

return M
