#!/usr/bin/perl
package Shop::Cart;

use strict;
use warnings;
use List::Util qw(sum first);
use parent 'Shop::Base';
require Shop::Item;

use constant LIMIT => 10;
use constant { MIN => 1, MAX => 9 };

our $VERSION = '1.0';
my $counter = 0;
our @items = (1, 2);
my ($first, $second) = @items;

# Makes one.
sub new {
    my ($class, %args) = @_;
    my $self = { items => [], %args };
    return bless $self, $class;
}

sub total {
    my $self = shift;
    $counter++;
    return sum(map { $_->price } @{ $self->{items} });
}

sub _helper($x) { return $x + LIMIT }

package Shop::Inner {
    sub deep { Shop::Cart->new(items => [_helper(1)]) }
}

package main;

my $handler = sub { print "hi" };

sub run {
    my $cart = Shop::Cart->new;
    return $cart->total;
}

run();
1;

__END__
sub not_code { }
