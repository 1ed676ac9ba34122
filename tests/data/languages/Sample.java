package com.example.app;

import java.util.List;
import static java.util.Objects.requireNonNull;
import com.example.util.*;

/** A store. */
@Service
public class Store<T extends Item> extends Base implements Closeable, Iterable<T> {
    public static final int LIMIT = 10;
    private List<T> items, others;

    public Store(List<T> items) {
        this.items = requireNonNull(items);
    }

    @Override
    public void close() throws IOException {
        int local = LIMIT;
        items.forEach(Store::dispose);
        new Thread(new Runnable() {
            public void run() { helper(); }
        }).start();
    }

    static <U> U dispose(U x) { return x; }

    enum Mode { READ, WRITE; boolean writes() { return this == WRITE; } }

    interface Listener { int DEFAULT = 1; void onEvent(Event event); }
}

record Point(int x, int y) {
    Point { check(x); }
}

@interface Marker { String value() default ""; }
