--- Which buffers are code that somebody writes: those that the server is started for.
local api = vim.api
local M = {}

--- File types that are not code. The server refuses them too, by the same setting (`NOT_CODE` in its configuration).
local NOT_CODE = {
  "gitcommit", "gitrebase", "gitsendemail", "hgcommit", "jjdescription", "svn", "cvs", "bzr", "NeogitCommitMessage",
  "mail", "help",
} -- stylua: ignore

--- File types of folders whose buffers have neither a name nor a type of buffer at first.
local FOLDERS = { "netrw", "dirvish", "oil", "fern", "vaffle" }

--- The file types of `NOT_CODE` that the user turned on.
---@return string[]
local function turned_on()
  local settings = require("codemoat.config").options.settings
  local editor = type(settings.editor) == "table" and settings.editor or {}
  local named = settings["editor.languages_on"] or editor.languages_on
  return type(named) == "table" and named or {}
end

--- Whether a name is an address (`oil://`, `fugitive://`, `scp://`), not a file. Names of files are full paths.
---@param name string
function M.is_address(name)
  local scheme = name:match("^(%a[%w+.-]+):")
  return scheme ~= nil and scheme:lower() ~= "file"
end

--- Why a buffer gets no suggestions; nil where it is a file with a type that gets them.
---@param buf integer
---@return string?
function M.why_not(buf)
  local name, kind = api.nvim_buf_get_name(buf), vim.bo[buf].filetype
  if not api.nvim_buf_is_loaded(buf) or vim.bo[buf].buftype ~= "" or M.is_address(name) then
    return "this buffer is not a file"
  elseif vim.list_contains(FOLDERS, kind) or name ~= "" and vim.fn.isdirectory(name) == 1 then
    return "this buffer is a folder"
  elseif kind == "" then
    return "this buffer has no file type; :set filetype gives it one"
  elseif vim.list_contains(NOT_CODE, kind) and not vim.list_contains(turned_on(), kind) then
    return ("%s is not code; the setting editor.languages_on turns it on, see :help codemoat-buffers"):format(kind)
  end
end

--- Whether a buffer is a file with a type that gets suggestions.
---@param buf integer
function M.is_code(buf)
  return M.why_not(buf) == nil
end

return M
