module shop.cart;

import std.stdio : writeln;
import std.algorithm, shop.item;

enum limit = 10;
immutable int counter = 0;
alias Price = long;

enum Color { red, green }

interface Priced {
    Price price();
}

struct Line {
    int count;
    string owner = "me";
}

class Cart : Base, Priced {
    private Line[] lines;
    static int MAX = 3;

    this(string owner) {
        super(owner);
    }

    ~this() {}

    @property Price price() { return total!int(lines); }

    void add(Line line) {
        auto local = helper(line.count);
        lines ~= line;
    }

    unittest {
        assert(new Cart("x").price == 0);
    }
}

T total(T)(Line[] lines) if (is(T : int)) {
    T inner(T x) { return x * limit; }
    return lines.map!(l => inner(l.count)).sum;
}

int helper(int x) {
    return x + counter;
}

template Twice(T) {
    enum Twice = T.sizeof * 2;
}

void main() {
    writeln(total!int([]));
}
