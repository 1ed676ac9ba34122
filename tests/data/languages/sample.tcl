package require Tk
source lib.tcl

namespace eval shop {
    variable limit 10

    proc total {cart {scale 1}} {
        set local [helper $cart]
        return [expr {$local * $scale}]
    }
}

proc shop::clear {} {
    variable limit
    puts $limit
}

proc helper {x} {
    return $x
}

set owner "me"
shop::total {1 2}
