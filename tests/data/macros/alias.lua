local Store = require("a.store").Store
local insert = table.insert
local mod = require "mod"
local y = require("a.b").z
local Other = a.b.Other
local count = 3
M.insert = table.insert
local a, insert2 = table.a, table.insert2
