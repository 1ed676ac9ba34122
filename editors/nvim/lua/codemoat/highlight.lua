--- Colours of what is drawn. A group that the user or the colour scheme defines is left as it is.
local api = vim.api
local M = {}

--- A grey that can be read on black and on white: of 256 colours, and of 16, where the palette is the terminal's.
local GREY, GREY_OF_16 = 244, 8

---@type table<string, table> what was defined here last, by group
local ours = {}

--- Colours that the terminal has, for an editor without true colour.
local function colours()
  local most = 0
  for _, ui in ipairs(api.nvim_list_uis()) do
    most = math.max(most, ui.term_colors or 0)
  end
  -- Without a terminal yet: nearly all have 256.
  return most == 0 and 256 or most
end

--- `Comment`, which every colour scheme has; Neovim's own one gives it no colour where there is no true colour.
local function suggestion()
  local comment = api.nvim_get_hl(0, { name = "Comment", link = false })
  if comment.ctermfg then
    return { link = "Comment" }
  end
  comment.default = nil
  comment.ctermfg = colours() >= 256 and GREY or GREY_OF_16
  return comment
end

local function define(name, wanted)
  local now = api.nvim_get_hl(0, { name = name })
  if next(now) ~= nil and not vim.deep_equal(now, ours[name]) then
    return
  end
  api.nvim_set_hl(0, name, wanted)
  ours[name] = api.nvim_get_hl(0, { name = name })
end

function M.define()
  define("CodemoatSuggestion", suggestion())
  define("CodemoatReplaced", { strikethrough = true, cterm = { strikethrough = true } })
end

--- Define the groups, and again whenever a colour scheme took them away.
function M.keep()
  M.define()
  local group = api.nvim_create_augroup("codemoat.highlight", {})
  api.nvim_create_autocmd({ "ColorScheme", "UIEnter" }, { group = group, callback = M.define })
  api.nvim_create_autocmd("OptionSet", {
    group = group,
    pattern = { "background", "termguicolors" },
    callback = M.define,
  })
end

return M
