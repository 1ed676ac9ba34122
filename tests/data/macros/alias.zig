const std = @import("std");
const ArrayList = std.ArrayList;
pub const Allocator = std.mem.Allocator;
const X = @import("a.zig").X;
const Renamed = std.mem.Other;
const limit = 3;
const self_limit = cfg.limit;
pub const Store = struct { 
  const Inner = std.Inner;
  n: usize,
};
