const std = @import("std");
const mem = std.mem;
const local = @import("local.zig");

pub const limit: usize = 10;
var counter: u32 = 0;
const MAX_ITEMS = 4;

pub const Shape = union(enum) {
    circle: f32,
    square: struct { side: f32 },
};

pub const Color = enum { red, green };

const Failure = error{ NotFound, Broken };

/// A shelf.
pub const Store = struct {
    items: []const u8,
    size: usize = 0,

    const Self = @This();
    pub const empty = Store{ .items = "" };

    pub fn init(allocator: mem.Allocator) Store {
        const local_value = helper(limit);
        return .{ .items = "", .size = local_value };
    }

    pub fn get(self: *Self, at: usize) Failure!u8 {
        if (at >= self.items.len) return error.NotFound;
        return self.items[at];
    }
};

pub fn List(comptime T: type) type {
    return struct {
        first: ?*T,

        pub fn push(self: *@This(), value: T) void {
            _ = self;
            _ = value;
        }
    };
}

extern fn puts(s: [*:0]const u8) c_int;

fn helper(x: usize) usize {
    return x + counter;
}

test "store gets" {
    var store = Store.init(std.testing.allocator);
    _ = try store.get(0);
}
