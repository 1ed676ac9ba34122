import Foundation
import struct Model.User

let limit = 10

protocol Shape: Base {
    var name: String { get }
    func area(scale: Double) -> Double
}

/// A circle.
@available(iOS 13, *)
public final class Circle<T>: Solid, Shape {
    static let unit = 1.0
    private(set) var radius: Double = 1
    var name: String { return "circle" }

    init(radius: Double) {
        self.radius = radius
    }

    deinit { cleanup() }

    func area(scale: Double) -> Double {
        let local = helper(scale, limit)
        return items.map { $0.value + local }.first ?? Circle.unit
    }
    subscript(index: Int) -> T { return items[index] }
}

struct Point { let x: Int; let y: Int }

enum Color { case red, green; case custom(Int)
    func describe() -> String { return "c" } }

extension Circle: Equatable {
    static func == (a: Circle, b: Circle) -> Bool { return true }
    func grow(by amount: Double) { radius += amount }
}

typealias Handler = (String) -> Void
actor Bank { func deposit() {} }

func main() { print(Circle(radius: 2).area(scale: 1)) }
