package com.example.app

import com.example.util.Clock
import com.example.model.*

const val LIMIT = 10
typealias Handler = (String) -> Unit

interface Shape {
    val name: String
    fun area(scale: Double): Double
}

/** A circle. */
data class Circle(override val name: String, private val radius: Double) : Shape, Base(name) {
    constructor(name: String) : this(name, 1.0)
    private var cache: Map<String, Int>? = null
    override fun area(scale: Double): Double {
        val local = scale * LIMIT
        return compute(local) { it + radius }
    }
    companion object {
        const val UNIT = 1
        fun unit() = Circle("unit", 1.0)
    }
    inner class Part
}

enum class Color(val rgb: Int) { RED(1), GREEN(2) }

object Registry {
    fun register(shape: Shape) = shapes.add(shape)
}

fun String.shout(): String = uppercase()

fun main(args: Array<String>) {
    Registry.register(Circle("a"))
}
