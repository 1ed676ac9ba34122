library shop;

import 'dart:math' as math;
import 'package:shop/item.dart' show Item;
export 'src/price.dart';
part 'cart_part.dart';

const limit = 10;
final int counter = 0;
String? owner;

typedef Compare<T> = int Function(T a, T b);

enum Color {
  red(1),
  green(2);

  const Color(this.code);
  final int code;
  bool get warm => this == red;
}

/// A shape.
abstract class Shape extends Base implements Drawable {
  static const int MAX = 3;
  final double scale, depth;
  late var cache = helper(1);

  Shape(this.scale, this.depth);
  Shape.unit() : this(1, 1);
  factory Shape.from(Map json) => Circle(1);

  double get area => scale * scale;
  set area(double value) {
    cache = value;
  }

  double compute(int n);

  @override
  String toString() {
    int twice(int x) => x * 2;
    return 'Shape ${twice(limit)}';
  }

  bool operator ==(Object other) => other is Shape;
}

mixin Drawable on Base {
  void draw() => print('draw');
}

extension Doubling on int {
  int doubled() => this * 2;
}

extension type Id(int value) {}

double helper(int x) => math.sqrt(x);

void main() async {
  final shape = Shape.unit();
  shape.compute(3);
  await shape.draw();
}
