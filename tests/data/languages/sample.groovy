package shop.cart

import groovy.transform.CompileStatic
import static java.lang.Math.max

final int LIMIT = 10

@CompileStatic
class Cart extends Base implements Priced {
    static final int MAX = 3
    String owner
    private List<Item> items = []

    Cart(String owner) {
        this.owner = owner
    }

    int total(int scale = 1) {
        def local = helper(items)
        return local * scale
    }

    def each(Closure action) {
        items.each { action(it) }
    }

    enum Color { RED, GREEN }
}

interface Priced {
    int price()
}

trait Named {
    String name
    String hello() { "hi $name" }
}

def helper(items) {
    items.size()
}

task build(dependsOn: 'compile') {
    doLast { println 'built' }
}

println new Cart('me').total(2)
